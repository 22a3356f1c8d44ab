import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { setTimeout } from 'node:timers/promises';
import { JigError } from '../../base/errors.ts';
import { createClient } from '../../client/client.ts';
import { runWorkflowType, type RunState } from '../../workflows/messages.ts';
import { createWorld, type World } from '../e2e/harness.ts';

const by = { by: 'ada' };
/** How long a pause lasts that nobody ends. */
const humanWaitMs = 9000;
const blueprint = (name: string, steps: string): string => `blueprint: v1\nname: ${name}\nsteps:\n${steps}`;
const fixAndAsk = '  - id: fix\n    agent: { task: Make it nice }\n  - id: ask\n    approve: { rounds: 1 }\n';
const wait = '  - id: wait\n    run: until test -e never; do sleep 0.05; done\n';

const asks = ({ questions }: RunState): boolean => questions[0]?.kind === 'approval';
const works =
  (step: string) =>
  ({ steps }: RunState): boolean =>
    steps.some(({ path, state }) => path === step && state === 'running');

let world: World;
beforeAll(async () => {
  world = await createWorld({
    config: { runs: { heartbeatTimeoutMs: 1000, humanWaitMs } },
    script: {
      script: 'v1',
      replies: [
        { step: 'fix', turn: 1, contains: 'Say it slowly', text: 'Slowly.', delayMs: 3000 },
        {
          step: 'fix',
          turn: 1,
          contains: 'Do two things',
          calls: [{ tool: 'shell', arguments: { command: 'true' } }],
          delayMs: 1000,
        },
        { step: 'fix', turn: 2, contains: 'Do two things', text: 'Both done.' },
        { step: 'fix', turn: 1, text: 'Nice.' },
        { step: 'fix', turn: 2, contains: 'ben: with tabs', text: 'With tabs.' },
        { step: 'fix#2', turn: 1, contains: 'ada sent the work back: nicer', text: 'Nicer.' },
      ],
    },
  });
  await world.addRepository('acme/api', { 'app.py': 'x = 1\n' });
});
afterAll(() => world[Symbol.asyncDispose]());

async function startUntil(name: string, steps: string, condition: (state: RunState) => boolean): Promise<string> {
  const runId = await world.start(blueprint(name, steps));
  await world.until(runId, condition);
  return runId;
}

test('a message that does not apply is refused with its code, and changes nothing', async () => {
  const { client } = world;
  const runId = await startUntil('working', wait, works('wait'));
  const before = await client.describe(runId);
  for (const [code, send] of [
    ['nothing-to-decide', () => client.approve(runId, by)],
    ['nothing-to-decide', () => client.reject(runId, { ...by, comment: 'no' })],
    ['nothing-to-decide', () => client.sendBack(runId, { ...by, comment: 'nicer' })],
    ['nothing-to-steer', () => client.steer(runId, { ...by, text: 'faster' })],
    ['not-paused', () => client.resume(runId, by)],
    ['invalid-message', () => client.pause(runId, { by: '' })],
    ['invalid-message', () => client.cancel(runId, { by: 'ada', comment: 'x'.repeat(10_001) })],
    ['invalid-message', () => client.steer(runId, { ...by, text: '' })],
  ] as const) {
    await assert.rejects(send(), { name: 'JigError', code }, code);
  }
  assert.deepEqual(await client.describe(runId), before);
  await client.cancel(runId, by);
  assert.equal((await client.result(runId)).reason, 'Cancelled by ada');
});

test('every message to a run that has ended is refused with run-ended, whoever sends it', async () => {
  const { client } = world;
  const { runId } = await world.run(blueprint('ended', "  - run: 'true'\n"));
  for (const send of [client.approve, client.reject, client.pause, client.resume, client.cancel])
    await assert.rejects(send(runId, by), { code: 'run-ended' });
  await assert.rejects(client.sendBack(runId, { ...by, comment: 'x' }), { code: 'run-ended' });
  await assert.rejects(client.steer(runId, { ...by, text: 'x' }), { code: 'run-ended' });
});

test('a question is decided once, and a second decision is refused', async () => {
  const { client } = world;
  const runId = await startUntil('decided', '  - id: ask\n    approve: { who: [ ada ] }\n' + wait, asks);
  await assert.rejects(client.approve(runId, { by: 'ben' }), { code: 'not-asked', message: /ada/ });
  await assert.rejects(client.sendBack(runId, { ...by, comment: 'x' }), { code: 'cannot-send-back' });
  const decided = await Promise.allSettled(
    [1, 2, 3].map((number) => client.approve(runId, { ...by, comment: `${number}` })),
  );
  assert.equal(decided.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const result of decided) if (result.status === 'rejected') assert.equal(result.reason.code, 'nothing-to-decide');
  await world.until(runId, works('wait'));
  await assert.rejects(client.approve(runId, by), { code: 'nothing-to-decide' });
  await client.cancel(runId, by);
});

test('work can be sent back as often as the blueprint says, then it is approved or rejected', async () => {
  const { client } = world;
  const runId = await startUntil('sent-back', fixAndAsk, asks);
  await assert.rejects(client.sendBack(runId, { by: 'ada', comment: '' }), { code: 'invalid-message' });
  await client.sendBack(runId, { by: 'ada', comment: 'nicer' });
  await world.until(runId, (state) => asks(state) && state.steps.filter(({ path }) => path === 'ask').length === 2);
  await assert.rejects(client.sendBack(runId, { by: 'ada', comment: 'nicer still' }), { code: 'cannot-send-back' });
  await client.reject(runId, { by: 'ada', comment: 'too late' });
  assert.deepEqual(await client.result(runId), {
    outcome: 'cancelled',
    code: 'rejected',
    reason: 'ada rejected it: too late',
    step: 'ask',
  });
});

test('an agent at work hears what people say before its next turn', async () => {
  const { client } = world;
  const runId = await startUntil(
    'steered',
    '  - id: fix\n    agent: { task: Say it slowly }\n  - end: { outcome: succeeded, reason: "${{ steps.fix.summary }}" }\n',
    works('fix'),
  );
  await client.steer(runId, { by: 'ben', text: 'with tabs' });
  assert.equal((await client.result(runId)).reason, 'With tabs.');
});

test('a paused run waits, says so, and goes on when it is resumed; a question that is open meanwhile keeps its own answer', async () => {
  const { client } = world;
  const runId = await startUntil(
    'paused',
    '  - run: sleep 0.3\n  - id: ask\n    approve: {}\n',
    ({ phase }) => phase === 'running',
  );
  await client.pause(runId, by);
  await assert.rejects(client.pause(runId, by), { code: 'already-paused' });
  const { questions } = await world.until(runId, ({ phase }) => phase === 'paused');
  assert.deepEqual(
    questions.map(({ kind, sendBackTo }) => [kind, sendBackTo]),
    [['paused', []]],
  );
  await assert.rejects(client.approve(runId, by), { code: 'nothing-to-decide' });
  await client.resume(runId, by);
  await assert.rejects(client.resume(runId, by), { code: 'not-paused' });
  await world.until(runId, asks);
  await client.approve(runId, by);
  assert.equal((await client.result(runId)).outcome, 'succeeded');
});

describe('while an agent works', { concurrent: true }, () => {
  const timed =
    "budget: { time: 8s }\nsteps:\n  - id: fix\n    agent: { task: Do two things }\n    timeout: 8s\n  - run: 'true'\n";
  const startPaused = async (name: string): Promise<RunState> => {
    const runId = await world.start(`blueprint: v1\nname: ${name}\n${timed}`);
    await world.until(runId, works('fix'));
    await world.client.pause(runId, by);
    const paused = await world.client.describe(runId);
    assert.deepEqual([paused.phase, paused.questions[0]?.kind], ['paused', 'paused']);
    return paused;
  };

  test('a pause is shown at once, does not count as time of the budget, and delays the next turn', async () => {
    const { runId, startedAtMs } = await startPaused('paused-agent');
    await setTimeout(startedAtMs + 8500 - Date.now());
    await world.client.resume(runId, by);
    assert.equal((await world.client.describe(runId)).phase, 'running');
    assert.deepEqual(await world.client.result(runId), { outcome: 'succeeded', reason: 'Every step is done' });
  });

  test('a pause that nobody ends makes the run end as needs-human', async () => {
    const { runId } = await startPaused('pause-expired');
    const { outcome, code, step } = await world.client.result(runId);
    assert.deepEqual([outcome, code, step], ['needs-human', 'pause-expired', 'fix']);
  });
});

test('a cancelled run ends as cancelled, whatever it was doing; cancelling twice is not an error', async () => {
  const { client } = world;
  const runId = await startUntil('cancelled', wait, works('wait'));
  await client.cancel(runId, { by: 'ada', comment: 'enough' });
  await client
    .cancel(runId, { by: 'ben' })
    .catch((error: unknown) => assert.ok(error instanceof JigError && error.code === 'run-ended', String(error)));
  assert.deepEqual(await client.result(runId), {
    outcome: 'cancelled',
    code: 'cancelled',
    reason: 'Cancelled by ada: enough',
  });
});

test('if no worker takes a message, its sender is told in time', async () => {
  const client = createClient(world.client.temporal, undefined, { answerTimeoutMs: 1000 });
  await client.temporal.workflow.start(runWorkflowType, {
    workflowId: 'run/unattended',
    taskQueue: 'nobody',
    args: [{}],
  });
  await Promise.all([
    assert.rejects(client.approve('run/unattended', by), { code: 'temporal-unreachable', message: /may still arrive/ }),
    assert.rejects(client.describe('run/unattended'), {
      code: 'temporal-unreachable',
      message: /waits for a worker, but there is none/,
    }),
  ]);
  await client.temporal.workflow.getHandle('run/unattended').terminate();
});
