/**
 * The product with a real model of 1.5 billion parameters and no scripted reply. The figures that it prints are the
 * claim that places found by code cost a fraction of what an agent costs that looks for them itself.
 */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { chooseModel } from '../../model/choose-model.ts';
import type { RunState } from '../../workflows/messages.ts';
import { readFixture, readLibrary } from '../e2e/fixtures.ts';
import { createWorld, type World } from '../e2e/harness.ts';
import { findMissingBuildTool } from './server-program.ts';
import { ensureModelServer, type ModelServer } from './server.ts';

const missing = await findMissingBuildTool();
const options = { skip: missing !== undefined };

let server: ModelServer;
let world: World;
beforeAll(async () => {
  if (missing) return;
  server = await ensureModelServer();
  world = await createWorld({ model: chooseModel({ env: server.env }) });
  for (const name of ['python-utcnow', 'small-edit'])
    await world.addRepository(`fixtures/${name}`, await readFixture(name));
});
afterAll(async () => {
  if (missing) return;
  await world[Symbol.asyncDispose]();
  await server.stop();
});

const setup = `sandbox:
  egress: [ pypi ]
  setup: [ 'python3 -m venv ~/.venv && ~/.venv/bin/pip install --quiet pytest --editable .' ]`;

function figures(what: string, state: RunState): string {
  const seconds = state.steps
    .filter(({ kind }) => kind === 'each' || kind === 'agent')
    .reduce((sum, { durationMs = 0 }) => sum + durationMs / 1000, 0);
  return `${what}: ${state.end?.outcome}, ${state.usage.inputTokens + state.usage.outputTokens} tokens, ${seconds.toFixed(1)} s`;
}

test(
  'for a deprecation, code finds the places, the model chooses, the tests pass, and a change is opened',
  options,
  async () => {
    const ours = await world.run(await readLibrary('python-utcnow'), { repository: 'fixtures/python-utcnow' });
    console.log(figures('python-utcnow, place by place', ours.state));
    assert.equal(ours.end.outcome, 'succeeded', JSON.stringify(ours.state.steps));
    const diff = await world.forge.getDiff('fixtures/python-utcnow', ours.state.change?.number ?? 0);
    assert.doesNotMatch(diff, /^\+.*(?:utcnow|utcfromtimestamp)/m);

    const bare = await world.run(
      `
blueprint: v1
name: bare-agent-loop
${setup}
steps:
  - id: everything
    agent:
      task: Replace datetime.utcnow() and datetime.utcfromtimestamp() in sessions/ by timezone-aware equivalents, so that the tests pass.
      turns: 12
    verify: [ "! grep -rnE 'utcnow|utcfromtimestamp' sessions", pytest -q ]
    attempts: 2
`,
      { repository: 'fixtures/python-utcnow' },
    );
    console.log(figures('the same by the bare agent loop', bare.state));
    assert.ok(
      ours.state.usage.inputTokens + ours.state.usage.outputTokens <
        bare.state.usage.inputTokens + bare.state.usage.outputTokens,
      'places found by code cost less',
    );
  },
);

test('an agent step makes a small edit that code can’t find, and its check passes', options, async () => {
  const { end, state } = await world.run(
    `
blueprint: v1
name: small-edit
${setup}
steps:
  - id: before
    check: [ pytest -q ]
    gate: baseline
  - id: fix
    agent:
      task: In prices/__init__.py, the function total forgets the quantity. Change the line that sums, so that it adds item.cents * item.quantity.
      tools: [ read, edit ]
      turns: 12
    verify: [ pytest -q ]
    attempts: 3
  - change: { title: Count the quantity of each item }
`,
    { repository: 'fixtures/small-edit' },
  );
  console.log(figures('small-edit, by an agent step', state));
  assert.equal(end.outcome, 'succeeded', `${end.reason} ${JSON.stringify(state.steps)}`);
});
