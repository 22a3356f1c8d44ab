import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import type { Model } from '../../model/contract.ts';
import { createScriptedModel } from '../../model/scripted.ts';
import { createWorld, type World } from './harness.ts';

/** A model whose price nobody knows. */
function unpricedModel(): Model {
  const model = createScriptedModel({ script: 'v1', replies: [{ step: 'ask', answer: { word: 'yes' } }] });
  return {
    ...model,
    isPriced: () => false,
    ask: async (request, signal) => {
      const answer = await model.ask(request, signal);
      return { ...answer, usage: { ...answer.usage, costUsd: 0, unpriced: true } };
    },
  };
}

let world: World;
beforeAll(async () => {
  world = await createWorld({ model: unpricedModel(), config: { model: { refuseUnpriced: true } } });
  await world.addRepository('acme/api', { 'README.md': 'one\n' });
});
afterAll(() => world[Symbol.asyncDispose]());

const question = `
  - id: ask
    prompt: { text: Say yes, answer: { type: object, properties: { word: { type: string } }, required: [ word ] } }
  - end: { outcome: succeeded, reason: asked }
`;
const agent = `
  - id: ask
    agent: { task: Do it, tools: [ read ] }
`;

test('a limit in dollars on a model of unknown price is refused before the first question, if the configuration says so', async () => {
  for (const [name, steps] of [
    ['by-prompt', question],
    ['by-agent', agent],
  ] as const) {
    const { end, state } = await world.run(`blueprint: v1\nname: ${name}\nbudget: { usd: 1 }\nsteps:\n${steps}`);
    assert.deepEqual(
      [end.outcome, end.code, state.usage.inputTokens],
      ['failed', 'budget-unenforceable', 0],
      end.reason,
    );
  }
});

test('an unknown cost is shown as unknown, never as zero', async () => {
  const { end, state, runId } = await world.run(`blueprint: v1\nname: no-limit\nsteps:\n${question}`);
  assert.deepEqual([end.outcome, state.usage.unpriced], ['succeeded', true]);
  const shown = await world.client.temporal.workflow
    .getHandle(runId)
    .query<string>('__temporal_workflow_metadata')
    .then((metadata) => JSON.stringify(metadata));
  assert.match(shown, /tokens, price unknown/);
  assert.doesNotMatch(shown, /\$0\.0000/);
});

test('the hosts that a sandbox was refused are shown with the command that failed', async () => {
  const { end } = await world.run(`blueprint: v1\nname: refused\nsandbox: { egress: [ listed.invalid ] }\nsteps:
  - run: |
      python3 -c "import os, urllib.request; urllib.request.urlopen('http://other.invalid/')"
`);
  assert.equal(end.code, 'command-failed');
  assert.match(end.reason, /refused: other\.invalid:80/);
});

test('the hosts that a sandbox was refused are shown with the check that failed, in its note and in the evidence', async () => {
  const fetch = `python3 -c "import urllib.request; urllib.request.urlopen('http://other.invalid/')"`;
  const { end, state } =
    await world.run(`blueprint: v1\nname: refused-check\nsandbox: { egress: [ listed.invalid ] }\nsteps:
  - id: before
    check: [ ${JSON.stringify(fetch)} ]
    gate: baseline
  - id: after
    check: [ ${JSON.stringify(`${fetch} || exit 7`)} ]
`);
  assert.deepEqual([end.code, end.step], ['check-failed', 'after']);
  assert.match(end.reason, /exit code 7 \(refused: other\.invalid:80\)/);
  const notes = Object.fromEntries(state.steps.map(({ path, note = '' }) => [path, note]));
  assert.match(notes['before'] ?? '', /fails before the change \(refused: other\.invalid:80\)/);
  assert.match(notes['after'] ?? '', /refused: other\.invalid:80/);
  assert.ok(state.evidence);
  const evidence = Buffer.from(await world.parts.artifacts.get(state.evidence)).toString();
  assert.match(evidence, /"reason":"exit code 7 \(refused: other\.invalid:80\)"/);
});
