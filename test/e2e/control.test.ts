import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { JigError } from '../../base/errors.ts';
import { createWorld, type World } from './harness.ts';

const blueprint = (name: string, steps: string): string => `blueprint: v1\nname: ${name}\nsteps:\n${steps}`;
const waitForFile = (name: string): string => `
  - id: wait
    run: until test -e ${name}; do sleep 0.05; done
    timeout: 60s`;
const me = { by: 'ada' };

let world: World;
beforeAll(async () => {
  world = await createWorld({
    config: { runs: { staleAfterMs: 1500, humanWaitMs: 60_000, continueAfterEvents: 60, heartbeatTimeoutMs: 1000 } },
    script: {
      script: 'v1',
      replies: [
        { step: 'fix', turn: 1, delayMs: 1500, text: 'First try.' },
        { step: 'fix', turn: 2, contains: 'ada: use tabs', text: 'With tabs.' },
        { step: 'fix', turn: 2, contains: 'too plain', text: 'With colours.' },
        { step: 'fix#2', turn: 1, contains: 'too plain', text: 'With colours.' },
      ],
    },
  });
  await world.addRepository('acme/api', { 'app.py': 'x = 1\n' });
});
afterAll(() => world[Symbol.asyncDispose]());

const refusal =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof JigError && error.code === code;

test('an approval waits for a person who may decide, and the run goes on with the decision', async () => {
  const runId = await world.start(
    blueprint(
      'approval',
      `
  - id: ask
    approve: { question: Go on?, who: [ ada ] }
  - end: { outcome: succeeded, reason: "\${{ steps.ask.by }}: \${{ steps.ask.comment }}" }
`,
    ),
  );
  const waiting = await world.until(runId, ({ questions }) => questions.length > 0);
  assert.equal(waiting.questions[0]?.question, 'Go on?');
  await assert.rejects(world.client.approve(runId, { by: 'bob' }), refusal('not-asked'));
  await assert.rejects(world.client.sendBack(runId, { by: 'ada', comment: 'no' }), refusal('cannot-send-back'));
  await assert.rejects(world.client.approve(runId, { by: '' }), refusal('invalid-message'));
  await world.client.approve(runId, { by: 'ada', comment: 'fine' });
  assert.equal((await world.client.result(runId)).reason, 'ada: fine');
  await assert.rejects(world.client.approve(runId, me), refusal('run-ended'));
});

test('a rejection ends the run as cancelled, and an expired question as needing a human', async () => {
  const rejected = await world.start(blueprint('rejected', '\n  - approve: {}\n'));
  await world.until(rejected, ({ questions }) => questions.length > 0);
  await world.client.reject(rejected, { by: 'ada', comment: 'not now' });
  const end = await world.client.result(rejected);
  assert.deepEqual([end.outcome, end.code, end.reason], ['cancelled', 'rejected', 'ada rejected it: not now']);

  const expired = await world.run(blueprint('expired', '\n  - approve: { wait: 300ms }\n'));
  assert.deepEqual([expired.end.outcome, expired.end.code], ['needs-human', 'approval-expired']);
});

test('work that is sent back goes on in the same conversation, and later steps are done again', async () => {
  const runId = await world.start(
    blueprint(
      'sent-back',
      `
  - id: fix
    agent: { task: Make it nice }
  - id: stamp
    run: date +%N >> stamps; wc -l < stamps
  - id: ask
    approve: {}
  - end: { outcome: succeeded, reason: "\${{ steps.fix.summary }} \${{ steps.stamp.stdout }}" }
`,
    ),
  );
  await world.until(runId, ({ questions }) => questions.length > 0);
  await world.client.sendBack(runId, { by: 'ada', comment: 'too plain' });
  await world.until(
    runId,
    ({ questions, steps }) => questions.length > 0 && steps.filter(({ path }) => path === 'ask').length === 2,
  );
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).reason, 'With colours. 2');
});

test('only a running agent can be steered', async () => {
  const runId = await world.start(
    blueprint(
      'steered',
      `
  - id: fix
    agent: { task: Make it nice }
  - end: { outcome: succeeded, reason: "\${{ steps.fix.summary }}" }
`,
    ),
  );
  await world.until(runId, ({ steps }) => steps.some(({ path, state }) => path === 'fix' && state === 'running'));
  await world.client.steer(runId, { by: 'ada', text: 'use tabs' });
  assert.equal((await world.client.result(runId)).reason, 'With tabs.');
  const idle = await world.start(blueprint('idle', waitForFile('never')));
  await world.until(idle, ({ phase }) => phase === 'running');
  await assert.rejects(world.client.steer(idle, { by: 'ada', text: 'hi' }), refusal('nothing-to-steer'));
  await world.client.cancel(idle, me);
  await world.client.result(idle);
});

test('a cancelled run kills its command, removes its sandbox and ends as cancelled', async () => {
  const runId = await world.start(blueprint('cancelled', waitForFile('never')));
  await world.until(runId, ({ steps }) => steps.some(({ path, state }) => path === 'wait' && state === 'running'));
  await world.client.cancel(runId, { by: 'ada', comment: 'enough' });
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.reason], ['cancelled', 'Cancelled by ada: enough']);
  assert.deepEqual(await world.parts.sandboxes.listSandboxes(), []);
  await assert.rejects(world.client.cancel(runId, me), refusal('run-ended'));
});

test('a paused run stops between steps until it is resumed', async () => {
  const runId = await world.start(
    blueprint(
      'paused',
      `
  - id: first
    run: sleep 0.5
  - id: second
    run: 'true'
`,
    ),
  );
  await world.until(runId, ({ steps }) => steps.some(({ path }) => path === 'first'));
  await assert.rejects(world.client.resume(runId, me), refusal('not-paused'));
  await world.client.pause(runId, me);
  const paused = await world.until(runId, ({ phase }) => phase === 'paused');
  assert.ok(!paused.steps.some(({ path }) => path === 'second'));
  await world.client.resume(runId, me);
  assert.equal((await world.client.result(runId)).outcome, 'succeeded');
});

test('a step may have the name of a question that the run itself asks', async () => {
  const steps = '  - id: paused\n    approve: {}\n  - id: stale\n    approve: {}\n';
  const runId = await world.start(blueprint('names', steps));
  const isAsked = (name: string) => world.until(runId, ({ questions }) => questions.some(({ id }) => id === name));
  await isAsked('paused');
  await world.client.pause(runId, me);
  await world.client.resume(runId, me);
  await world.client.approve(runId, { ...me, step: 'paused' });
  await isAsked('stale');
  await world.client.approve(runId, { ...me, step: 'stale' });
  assert.equal((await world.client.result(runId)).outcome, 'succeeded');
});

test('a run that comes back late, when its base has moved, asks a person', async () => {
  const steps = `
  - id: change_it
    run: echo 'x = 2' > app.py
  - id: ask
    approve: {}
  - run: 'true'
`;
  await world.addRepository('acme/moving', { 'app.py': 'x = 1\n' });
  const start = async (name: string): Promise<string> => {
    const runId = await world.start(blueprint(name, steps), { repository: 'acme/moving' });
    await world.until(runId, ({ questions }) => questions[0]?.kind === 'approval');
    return runId;
  };
  const [stopped, goesOn] = [await start('stale'), await start('stale-again')];
  const { cloneUrl } = await world.forge.getRepository('acme/moving');
  await execa('git', [
    '--git-dir',
    cloneUrl,
    '-c',
    'user.name=A',
    '-c',
    'user.email=a@b',
    'update-ref',
    'refs/heads/main',
    (
      await execa('git', [
        '--git-dir',
        cloneUrl,
        '-c',
        'user.name=A',
        '-c',
        'user.email=a@b',
        'commit-tree',
        'main^{tree}',
        '-p',
        'main',
        '-m',
        'moved',
      ])
    ).stdout,
  ]);
  await setTimeout(1600);
  for (const runId of [stopped, goesOn]) {
    await world.client.approve(runId, me);
    const stale = await world.until(runId, ({ questions }) => questions[0]?.kind === 'stale');
    assert.match(stale.questions[0]?.question ?? '', /main has moved/);
  }
  await world.client.reject(stopped, me);
  const end = await world.client.result(stopped);
  assert.deepEqual([end.outcome, end.code], ['needs-human', 'base-moved']);
  await world.client.approve(goesOn, me);
  assert.equal((await world.client.result(goesOn)).outcome, 'succeeded');
});

test('a run with a long history continues as a new execution, and no step is done twice', async () => {
  const { end, state, runId } = await world.run(
    blueprint(
      'long',
      `
  - id: items
    run: seq 1 30
    parse: lines
  - id: loop
    each: \${{ steps.items.value }}
    as: item
    at-once: 4
    do:
      - run: [ sh, -c, 'echo "$1" >> done.txt', sh, "\${{ item }}" ]
  - id: count
    run: sort -n done.txt | uniq | wc -l; wc -l < done.txt
  - end: { outcome: succeeded, reason: "\${{ steps.count.stdout }} \${{ steps.loop.succeeded }}" }
`,
    ),
  );
  assert.equal(end.reason, '30\n30 30', JSON.stringify(state.steps.slice(-3)));
  const description = await world.client.temporal.workflow.getHandle(runId).describe();
  assert.notEqual(description.raw.workflowExecutionInfo?.firstRunId, description.runId);
  assert.equal((await world.client.list({ query: `JigBlueprint = 'long'` })).length, 1);
});

test('if a sandbox is lost with its work, the run starts once more from a clean checkout', async () => {
  const runId = await world.start(
    blueprint(
      'lost',
      `
  - id: mark
    run: echo once >> marks
  - id: ask
    approve: {}
  - id: count
    run: wc -l < marks
  - end: { outcome: succeeded, reason: "\${{ steps.count.stdout }}" }
`,
    ),
  );
  await world.until(runId, ({ questions }) => questions.length > 0);
  const [sandbox] = await world.parts.sandboxes.listSandboxes();
  await world.parts.sandboxes.destroySandbox(sandbox?.id ?? '');
  await world.client.approve(runId, me);
  await world.until(
    runId,
    ({ questions, steps }) => questions.length > 0 && steps.filter(({ path }) => path === 'ask').length === 2,
  );
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).reason, '1');
});

test('the Temporal UI shows what happened: summaries, details and search attributes', async () => {
  const { runId } = await world.run(blueprint('visible', '\n  - id: hello\n    run: echo hello\n'));
  const handle = world.client.temporal.workflow.getHandle(runId);
  const description = await handle.describe();
  assert.equal(await description.staticSummary(), 'visible');
  const [listed] = await world.client.list({
    query: `JigBlueprint = 'visible' AND JigOutcome = 'succeeded' AND JigRepository = 'acme/api' AND JigRequester = 'tester'`,
  });
  assert.equal(listed?.runId, runId);
  const { events = [] } = await handle.fetchHistory();
  const unsummarized = (events ?? []).filter(
    (event) => event.activityTaskScheduledEventAttributes && !event.userMetadata?.summary,
  );
  assert.deepEqual(unsummarized, []);
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  assert.match(metadata.currentDetails ?? '', /\| ✓ \| hello \| run \|/);
});

test('the same idempotency key starts one run', async () => {
  const text = blueprint('keyed', "\n  - run: 'true'\n");
  const request = {
    blueprint: { name: 'keyed', text, file: 'keyed.yaml' },
    repository: { forge: 'local', name: 'acme/api' },
    inputs: {},
    requester: 'tester',
    idempotencyKey: 'issue-7',
  };
  const first = await world.client.start(request);
  await world.client.result(first.runId);
  const second = await world.client.start(request);
  assert.deepEqual(second, { runId: first.runId, existed: true });
});

test('a run that does not exist is reported with a code', async () => {
  await assert.rejects(world.client.describe('run/acme/api/none/0'), refusal('run-not-found'));
});
