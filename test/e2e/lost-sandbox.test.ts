import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { ModelFailure, type Model, type ModelRequest } from '../../model/contract.ts';
import { SandboxLost } from '../../sandbox/errors.ts';
import type { RunState } from '../../workflows/messages.ts';
import { createWorld, type World } from './harness.ts';

const me = { by: 'ada' };
const blueprint = (name: string, steps: string): string => `blueprint: v1\nname: ${name}\nsteps:\n${steps}`;

let asked: ModelRequest[] = [];
/** Calls a command and says then that it is done. A question that it is told to refuse fails. */
const model: Model = {
  source: 'scripted',
  name: 'by-hand',
  protocol: 'native',
  contextTokens: 100_000,
  answerTokens: 4000,
  isPriced: () => true,
  async ask(request) {
    const last = request.messages.at(-1);
    if (JSON.stringify(request.messages).includes('refuse') && last?.role === 'tool')
      throw new ModelFailure('model-refused', 'no', { retryable: false });
    asked.push(request);
    const isFirst = last?.role === 'user';
    return {
      model: 'by-hand',
      content: isFirst ? '' : 'Done.',
      toolCalls: isFirst ? [{ id: 'c1', name: 'shell', arguments: '{"command":"echo worked"}' }] : [],
      stopReason: isFirst ? 'tool-calls' : 'stop',
      usage: { inputTokens: 10, cachedInputTokens: 0, outputTokens: 1, costUsd: 0.01 },
    };
  },
};

let world: World;
/** Which command finds its sandbox lost, once. */
let lose: ((key: string, sandbox: string) => boolean) | undefined;
beforeAll(async () => {
  world = await createWorld({ model, config: { runs: { heartbeatTimeoutMs: 1000, releaseAfterMs: 300 } } });
  await world.addRepository('acme/api', { 'app.py': 'x = 1\n' });
  const { sandboxes } = world.parts;
  const getSandbox = sandboxes.getSandbox.bind(sandboxes);
  sandboxes.getSandbox = async (ref) => {
    const sandbox = await getSandbox(ref);
    return {
      ...sandbox,
      async run(spec, options) {
        if (!lose?.(spec.key, ref.id)) return sandbox.run(spec, options);
        lose = undefined;
        throw new SandboxLost(`the sandbox ${ref.id} does not answer`);
      },
    };
  };
});
afterEach(() => {
  lose = undefined;
  asked = [];
});
afterAll(() => world[Symbol.asyncDispose]());

const rowsOf = ({ steps }: RunState, path: string) => steps.filter((row) => row.path === path);
const isAway = ({ steps }: RunState): boolean => steps.some(({ path }) => path.startsWith('away-'));

test('edits that are sent back are undone once more where the sandbox is lost meanwhile', async () => {
  const steps = `
  - id: change_it
    edit: { path: app.py, old: x = 1, new: x = 2 }
  - id: good
    approve: {}
  - id: result
    run: cat app.py
  - end: { outcome: succeeded, reason: "\${{ steps.result.stdout }}" }
`;
  const runId = await world.start(blueprint('undone', steps));
  await world.until(runId, isAway);
  lose = (key) => key.includes('/undo/');
  await world.client.sendBack(runId, { ...me, comment: 'once more' });
  await world.until(runId, (state) => rowsOf(state, 'good').length === 2 && state.questions.length === 1);
  await world.client.approve(runId, me);
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.reason], ['succeeded', 'x = 2'], end.reason);
  const state = await world.client.describe(runId);
  assert.deepEqual(
    rowsOf(state, 'change_it/undo').map((row) => row.state),
    ['failed', 'succeeded'],
  );
});

test('what an agent has spent is charged where its sandbox is lost, and that sandbox is removed', async () => {
  lose = (key) => key.includes('/fix/1/');
  const steps = `
  - id: fix
    agent: { task: Do it }
  - id: good
    approve: {}
`;
  const runId = await world.start(blueprint('agent-loses', steps));
  const state = await world.until(runId, isAway);
  assert.equal(asked.length, 3);
  assert.equal(state.usage.inputTokens, 30);
  assert.deepEqual(await world.parts.sandboxes.listSandboxes(), []);
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).outcome, 'succeeded');
});

test('what an agent has spent is charged where a later question to its model fails', async () => {
  const steps = `
  - id: fix
    on-failure: continue
    agent: { task: Please refuse }
`;
  const { end, state } = await world.run(blueprint('agent-refused', steps));
  assert.equal(end.outcome, 'succeeded');
  assert.equal(rowsOf(state, 'fix')[0]?.state, 'failed');
  assert.deepEqual([asked.length, state.usage.inputTokens], [1, 10]);
});

test('where the sandbox of a clean checkout is lost, the gates decide in another one and nothing else is done again', async () => {
  lose = (_, sandbox) => sandbox.includes('-gate');
  const steps = `
  - id: work
    run: echo 'x = 2' > app.py
  - check: [ "grep -q 2 app.py" ]
  - change: { title: Another x }
`;
  const { end, state } = await world.run(blueprint('gate-loses', steps));
  assert.equal(end.outcome, 'succeeded', end.reason);
  assert.equal(lose, undefined, 'a sandbox was lost');
  assert.equal(rowsOf(state, 'work').length, 1);
  assert.deepEqual(await world.parts.sandboxes.listSandboxes(), []);
});

test('items that stop because a sandbox is lost do not end a paused run as cancelled', async () => {
  const steps = `
  - id: outer
    each: \${{ ['a', 'b'] }}
    as: item
    at-once: 2
    do:
      - id: inner
        if: item == 'a'
        each: \${{ ['waits', 'loses'] }}
        as: what
        at-once: 2
        do:
          - id: work
            run: [ sleep, "\${{ what == 'waits' ? '1' : '4' }}" ]
          - run: 'true'
      - id: slow
        if: item == 'b'
        run: sleep 2
      - run: 'true'
`;
  const runId = await world.start(blueprint('paused-and-lost', steps));
  const works = (state: RunState): boolean =>
    ['outer[0].inner[0].work', 'outer[0].inner[1].work', 'outer[1].slow'].every(
      (path) => rowsOf(state, path).length === 1,
    );
  await world.until(runId, works);
  await world.client.pause(runId, me);
  await world.until(
    runId,
    (state) => rowsOf(state, 'outer[1].slow')[0]?.state === 'succeeded' && state.phase === 'paused',
  );
  const [sandbox] = await world.parts.sandboxes.listSandboxes();
  await world.parts.sandboxes.destroySandbox(sandbox?.id ?? '');
  await world.until(runId, (state) => rowsOf(state, 'outer[0].inner[1].work')[0]?.state === 'failed');
  await world.client.resume(runId, me);
  const end = await world.client.result(runId);
  assert.equal(end.outcome, 'succeeded', `${end.code} ${end.reason}`);
});
