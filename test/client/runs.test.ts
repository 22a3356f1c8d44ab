import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { Client, Connection } from '@temporalio/client';
import { connectClient, createClient } from '../../client/client.ts';
import type { StartRun } from '../../client/start-run.ts';
import { runWorkflowType, taskQueues, type RunState } from '../../workflows/messages.ts';
import { createWorld, type World } from '../e2e/harness.ts';
import { startRelay } from './relay.ts';

const by = { by: 'ada' };
const waits =
  'blueprint: v1\nname: waits\ninputs: { word: { type: string, default: hi } }\nsteps:\n  - id: ask\n    approve: { question: Go on? }\n';
const request = (more: Partial<StartRun> = {}): StartRun => ({
  blueprint: { name: 'waits', text: waits, file: 'waits.yaml', title: 'It waits' },
  repository: { forge: 'local', name: 'acme/api' },
  inputs: {},
  requester: 'tester',
  ...more,
});
const asks = ({ questions }: RunState): boolean => questions.length > 0;

let world: World;
beforeAll(async () => {
  world = await createWorld({ config: { runs: { heartbeatTimeoutMs: 1000 } } });
  await world.addRepository('acme/api', { 'app.py': 'x = 1\n' });
  await world.addRepository('acme/web', { 'app.js': 'x\n' });
});
afterAll(() => world[Symbol.asyncDispose]());

async function startWaiting(more: Partial<StartRun> = {}): Promise<string> {
  const { runId } = await world.client.start(request(more));
  await world.until(runId, asks);
  return runId;
}

test('the same key starts one run, at the same time and after its end; another request under it is refused', async () => {
  const asked = request({ idempotencyKey: 'ticket-7', inputs: { word: 'one' } });
  const started = await Promise.all(Array.from({ length: 20 }, () => world.client.start(asked)));
  const [runId = '', ...others] = new Set(started.map((run) => run.runId));
  assert.deepEqual(others, []);
  assert.equal(started.filter(({ existed }) => !existed).length, 1);
  for (const other of [
    { inputs: { word: 'two' } },
    { blueprint: { ...asked.blueprint, text: `${waits}# more\n` } },
    { repository: { forge: 'local', name: 'acme/api', branch: 'other' } },
  ]) {
    await assert.rejects(world.client.start({ ...asked, ...other }), { code: 'key-taken', message: new RegExp(runId) });
  }
  await world.until(runId, asks);
  await world.client.cancel(runId, by);
  await world.client.result(runId);
  assert.deepEqual(await world.client.start({ ...asked, requester: 'somebody else' }), { runId, existed: true });
  assert.equal((await world.client.list({ query: `WorkflowId = '${runId}'` })).length, 1);
});

test('without a key, each start makes a new run, and an invalid request starts nothing', async () => {
  const [one, two] = [await startWaiting(), await startWaiting()];
  assert.notEqual(one, two);
  for (const runId of [one, two]) await world.client.cancel(runId, by);
  await assert.rejects(world.client.start(request({ requester: 'x'.repeat(201) })), {
    code: 'invalid-request',
    message: /requester/,
  });
  await assert.rejects(world.client.start(request({ blueprint: { name: 'n'.repeat(1000), text: waits, file: '' } })), {
    code: 'invalid-request',
    message: /Temporal refused the request/,
  });
});

test('a list is filtered, has the newest run first, and shows the state of each run', async () => {
  const [waiting, ended] = [
    await startWaiting({ requester: 'lister', repository: { forge: 'local', name: 'acme/web' } }),
    await startWaiting({ requester: 'lister' }),
  ];
  await world.client.reject(ended, { by: 'ada', comment: 'no' });
  await world.client.result(ended);
  const query = "JigRequester = 'lister'";
  await listed(query, 2, ({ outcome }) => outcome !== undefined);
  const [last, first] = await world.client.list({ query });
  assert.deepEqual([last?.runId, last?.phase, last?.outcome, last?.needsHuman], [ended, 'ended', 'cancelled', false]);
  assert.deepEqual(
    [first?.runId, first?.repository, first?.blueprint, first?.phase, first?.needsHuman, first?.endedAt],
    [waiting, 'acme/web', 'waits', 'waiting-for-human', true, undefined],
  );
  assert.deepEqual(
    (await world.client.list({ query: `${query} AND JigRepository = 'acme/web' OR JigRepository = 'none'` })).map(
      ({ runId }) => runId,
    ),
    [waiting],
  );
  assert.equal((await world.client.list({ query, limit: 1 })).length, 1);
  await world.client.cancel(waiting, by);
});

test('a filter that Temporal does not understand is refused with its words', async () => {
  await assert.rejects(world.client.list({ query: 'nonsense !!' }), {
    code: 'filter-invalid',
    message: /syntax error/,
  });
  await assert.rejects(world.client.list({ query: "Nope = 'x'" }), { code: 'filter-invalid', message: /Nope/ });
});

test('a run that does not exist is not found, nor is a workflow that is not a run', async () => {
  const { client } = world;
  for (const runId of ['run/acme/api/waits/none', '']) {
    await assert.rejects(client.describe(runId), { code: 'run-not-found' });
    await assert.rejects(client.request(runId), { code: /run-not-found|invalid-request/ });
    await assert.rejects(client.follow(runId)[Symbol.asyncIterator]().next(), { code: 'run-not-found' });
  }
  await assert.rejects(client.result('run/acme/api/waits/none'), { code: 'run-not-found' });
  await assert.rejects(client.approve('run/acme/api/waits/none', by), { code: 'run-not-found' });
  const other = await client.temporal.workflow.start('agent', {
    workflowId: 'run/other',
    taskQueue: taskQueues.runs,
    args: [{}],
  });
  await assert.rejects(client.request('run/other'), { code: 'run-not-found' });
  await assert.rejects(client.describe('run/other'), { code: 'run-not-found' });
  await other.terminate().catch(() => undefined);
});

test('the request of a run is the original one, however often the run continued as a new execution', async () => {
  const runId = await startWaiting({
    inputs: { word: 'ho' },
    repository: { forge: 'local', name: 'acme/api', branch: 'main' },
  });
  const {
    blueprint: { text, sha256, ...names },
    ...rest
  } = await world.client.request(runId);
  assert.deepEqual([text, sha256.length, names], [waits, 64, { name: 'waits', file: 'waits.yaml' }]);
  assert.deepEqual(rest, {
    repository: { forge: 'local', name: 'acme/api', branch: 'main' },
    inputs: { word: 'ho' },
    requester: 'tester',
  });
  await world.client.cancel(runId, by);
});

test('the result of every run is its typed end, also if it failed', async () => {
  const failed = await world.run('blueprint: v1\nname: fails\nsteps:\n  - id: no\n    run: exit 3\n');
  assert.deepEqual([failed.end.outcome, failed.end.code, failed.end.step], ['failed', 'command-failed', 'no']);
  assert.deepEqual(failed.state.end, failed.end);
  await listed("JigBlueprint = 'fails'", 1, ({ outcome }) => outcome === 'failed');
});

test('a run that was ended from outside is shown, followed and listed as cancelled, and no longer asks anybody', async () => {
  const runId = await startWaiting({ requester: 'terminated' });
  const seen = states(runId);
  await world.client.temporal.workflow.getHandle(runId).terminate('enough');
  const last = (await seen).at(-1);
  assert.deepEqual(
    [last?.phase, last?.end?.outcome, last?.end?.reason, last?.questions],
    ['ended', 'cancelled', 'Ended from outside Jig: enough', []],
  );
  assert.deepEqual((await world.client.describe(runId)).end, await world.client.result(runId));
  await assert.rejects(world.client.approve(runId, by), { code: 'run-ended' });
  await listed(
    "JigRequester = 'terminated'",
    1,
    ({ outcome, needsHuman, phase }) => outcome === 'cancelled' && !needsHuman && phase === 'ended',
  );
});

test('a follower gets each state once, until the run ends', async () => {
  const { runId } = await world.client.start(request());
  const seen = states(runId);
  await world.until(runId, asks);
  await world.client.approve(runId, by);
  const revisions = (await seen).map(({ revision }) => revision);
  assert.deepEqual(
    revisions,
    [...new Set(revisions)].toSorted((a, b) => a - b),
  );
  assert.equal((await seen).at(-1)?.end?.outcome, 'succeeded');
  assert.equal((await states(runId)).length, 1, 'a run that has ended is shown once');
});

test('a follower continues after a broken connection, and gives up after its patience', async () => {
  await using relay = await startRelay(world.server.address);
  const connection = await Connection.connect({ address: relay.address, interceptors: [] });
  const client = createClient(new Client({ connection }));
  const runId = await startWaiting();
  const following = client.follow(runId, { pollMs: 20 })[Symbol.asyncIterator]();
  assert.equal((await following.next()).value.phase, 'waiting-for-human');
  await relay.cut();
  const next = following.next();
  await assert.rejects(client.describe(runId), { code: 'temporal-unreachable' });
  await world.client.approve(runId, by);
  await world.client.result(runId);
  await relay.mend();
  assert.equal((await next).value.end.outcome, 'succeeded');
  assert.equal((await following.next()).done, true);

  const other = await startWaiting();
  const impatient = client.follow(other, { pollMs: 20, patienceMs: 300 })[Symbol.asyncIterator]();
  await impatient.next();
  await relay.cut();
  await assert.rejects(impatient.next(), { code: 'temporal-unreachable' });
  await assert.rejects(
    client.follow(other)[Symbol.asyncIterator]().next(),
    { code: 'temporal-unreachable' },
    'without a first answer there is nothing to be patient for',
  );
  await world.client.cancel(other, by);
  await client.close();
});

test('a signal ends following, also while nobody answers, and the run goes on', async () => {
  await world.client.temporal.workflow.start(runWorkflowType, {
    workflowId: 'run/unattended',
    taskQueue: 'nobody',
    args: [{}],
  });
  assert.equal((await states('run/unattended', AbortSignal.timeout(300))).length, 0);
  const runId = await startWaiting();
  assert.equal((await states(runId, AbortSignal.timeout(300))).length, 1);
  assert.equal((await world.client.describe(runId)).phase, 'waiting-for-human');
  await world.client.cancel(runId, by);
  await world.client.temporal.workflow.getHandle('run/unattended').terminate();
});

test('if Temporal does not answer, the client says so and what to do', async () => {
  await assert.rejects(connectClient({ env: { TEMPORAL_ADDRESS: '127.0.0.1:1' }, dataDir: world.dataDir }), {
    code: 'temporal-unreachable',
  });
});

async function states(runId: string, signal?: AbortSignal): Promise<RunState[]> {
  const seen: RunState[] = [];
  for await (const state of world.client.follow(runId, { pollMs: 20, ...(signal && { signal }) })) seen.push(state);
  return seen;
}

/** The index of Temporal is a moment behind: waits until so many runs fit and one of them is as it should be. */
async function listed(
  query: string,
  count: number,
  isRight: (run: Awaited<ReturnType<World['client']['list']>>[number]) => boolean,
): Promise<void> {
  const giveUpAt = Date.now() + 10_000;
  for (;;) {
    const runs = await world.client.list({ query });
    if (runs.length === count && runs.some(isRight)) return;
    assert.ok(Date.now() < giveUpAt, JSON.stringify(runs));
  }
}
