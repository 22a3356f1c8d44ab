import assert from 'node:assert/strict';
import { test } from 'vitest';
import { setTimeout as wait } from 'node:timers/promises';
import proto from '@temporalio/proto';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import { pino } from 'pino';
import { JigError } from '../../base/errors.ts';
import { countOpenRuns, describeVersions, findWaitingRuns, isServed } from '../../client/versions.ts';
import { createClient } from '../../client/client.ts';
import { listKeptBundles } from '../../worker/kept-bundles.ts';
import { serveOlderVersions } from '../../worker/older-versions.ts';
import { buildIdOf, ensureNewestIsCurrent, setCurrentVersion } from '../../worker/versions.ts';
import { startWorker, type JigWorker } from '../../worker/worker.ts';
import { bundle, bundleWorkflows, type WorkflowBundle } from '../../worker/workflow-bundle.ts';
import { taskQueues } from '../../workflows/messages.ts';
import { createWorld, type World } from '../e2e/harness.ts';

const blueprint = 'blueprint: v1\nname: asks\nsteps:\n  - approve: { question: Go on? }\n  - run: echo done\n';
const otherBundle = bundle('test/worker/other-workflows/interpreter.ts').then((code) => ({ code }));
const log = pino({ level: 'silent' });

async function startAsking(world: World): Promise<string> {
  const runId = await world.start(blueprint);
  await world.until(runId, ({ questions }) => questions.length > 0);
  return runId;
}

async function versionOf(world: World, runId: string): Promise<string | null | undefined> {
  const { raw } = await world.client.temporal.workflow.getHandle(runId).describe();
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;
}

async function approve(world: World, runId: string): Promise<string> {
  await world.client.approve(runId, { by: 'ada' });
  return (await world.client.result(runId)).outcome;
}

const isRunning = async (world: World, runId: string): Promise<boolean> =>
  (await world.client.temporal.workflow.getHandle(runId).describe()).status.name === 'RUNNING';

async function untilTaskFailed(world: World, runId: string): Promise<void> {
  for (let attempt = 0; attempt < 2; await wait(50)) {
    const { raw } = await world.client.temporal.workflow.getHandle(runId).describe();
    attempt = raw.pendingWorkflowTask?.attempt ?? 0;
  }
}

/** Moves a run to a version, or back to its own. */
async function move(world: World, workflowId: string, version?: WorkerDeploymentVersion): Promise<void> {
  await world.client.temporal.workflowService.updateWorkflowExecutionOptions({
    namespace: 'default',
    workflowExecution: { workflowId },
    updateMask: { paths: ['versioning_override'] },
    workflowExecutionOptions: version
      ? {
          versioningOverride: {
            pinned: {
              version,
              behavior:
                proto.temporal.api.workflow.v1.VersioningOverride.PinnedOverrideBehavior
                  .PINNED_OVERRIDE_BEHAVIOR_PINNED,
            },
          },
        }
      : {},
  });
}

/** One more worker; it drains before its server goes, also where the test fails. */
async function join(world: World, code: WorkflowBundle, version: WorkerDeploymentVersion): Promise<AsyncDisposable> {
  const worker = await startWorker({ ...world.setup, bundle: code, version });
  return { [Symbol.asyncDispose]: () => leave(worker) };
}

async function leave(worker: JigWorker): Promise<void> {
  worker.shutdown();
  await worker.ended;
}

const refusal =
  (code: string, ...words: string[]) =>
  (error: unknown) =>
    error instanceof JigError && error.code === code && words.every((word) => error.message.includes(word));

test('a run ends on the version that it started on, beside a newer one and after it', async () => {
  await using world = await createWorld();
  await world.addRepository('acme/api', { 'a.txt': 'a\n' });
  const bundles = { old: await bundleWorkflows(process.env), new: await otherBundle };
  const next = { ...world.version, buildId: buildIdOf(bundles.new) };
  assert.notEqual(next.buildId, world.version.buildId);
  const [beside, instead] = [await startAsking(world), await startAsking(world)];

  await using _newer = await join(world, bundles.new, next);
  assert.deepEqual(await ensureNewestIsCurrent(world.setup, next), next, 'the newest becomes current');
  assert.deepEqual(await ensureNewestIsCurrent(world.setup, world.version), next, 'an older one does not, beside it');
  const later = await startAsking(world);
  assert.equal(await versionOf(world, later), next.buildId);
  assert.equal(await approve(world, beside), 'succeeded');
  assert.equal(await versionOf(world, beside), world.version.buildId);

  await leave(world.worker);
  // It has 30 s to answer, usually.
  const impatient = createClient(world.client.temporal, undefined, { answerTimeoutMs: 3000 });
  await assert.rejects(impatient.describe(instead), refusal('version-without-worker', world.version.buildId));
  assert.equal(await isRunning(world, instead), true);
  assert.equal(await approve(world, later), 'succeeded');

  await using _again = await join(world, bundles.old, world.version);
  assert.equal(await approve(world, instead), 'succeeded');
  assert.equal(await versionOf(world, instead), world.version.buildId);
});

test("a worker whose code does not fit a run's history leaves the run waiting, and it says so", async () => {
  await using world = await createWorld();
  await world.addRepository('acme/api', { 'a.txt': 'a\n' });
  const runId = await startAsking(world);
  const code = await otherBundle;
  const other = { ...world.version, buildId: buildIdOf(code) };
  await using _misfit = await join(world, code, other);
  // Temporal moves no run to a version that it hasn't seen on the queue.
  await ensureNewestIsCurrent(world.setup, other);
  await move(world, runId, other);

  const impatient = createClient(world.client.temporal, undefined, { answerTimeoutMs: 3000 });
  await assert.rejects(impatient.describe(runId), refusal('history-mismatch', other.buildId));
  // Unlike a question, a signal makes the worker take the run up.
  await world.client.temporal.workflow.getHandle(runId).signal('nudge');
  await untilTaskFailed(world, runId);
  assert.equal((await world.client.waitsFor(runId))?.code, 'history-mismatch');
  assert.equal(await isRunning(world, runId), true);

  await move(world, runId);
  // The try that is under way has ten seconds.
  while (await world.client.waitsFor(runId)) await wait(100);
  assert.equal(await approve(world, runId), 'succeeded');
});

test('an upgraded worker serves runs of the previous version as long as there are any', async () => {
  await using world = await createWorld();
  await world.addRepository('acme/api', { 'a.txt': 'a\n' });
  const { setup, dataDir, version } = world;
  const keeper = { setup, dataDir, log, onNote: () => undefined };
  const over = AbortSignal.abort();
  await serveOlderVersions(
    { ...keeper, own: { version, promote: 'manual' } },
    await bundleWorkflows(process.env),
    over,
  );
  const runId = await startAsking(world);
  await leave(world.worker);

  const code = await otherBundle;
  const next = { ...version, buildId: buildIdOf(code) };
  await using _worker = await join(world, code, next);
  await setCurrentVersion(setup, next);
  assert.equal(await countOpenRuns(setup, version), 1);
  const stop = new AbortController();
  const serving = serveOlderVersions({ ...keeper, own: { version: next, promote: 'manual' } }, code, stop.signal);
  assert.equal(await approve(world, runId), 'succeeded');
  assert.deepEqual(await listKeptBundles(dataDir), [version.buildId, next.buildId].toSorted());
  stop.abort();
  await serving;
});

test('if no version is current, a run says what it waits for, and goes on once one is', async () => {
  await using world = await createWorld({ promote: false });
  await world.addRepository('acme/api', { 'a.txt': 'a\n' });
  await untilServed(world, world.version);
  const runId = await world.start('blueprint: v1\nname: hello\nsteps:\n  - run: echo hello\n');
  assert.equal((await world.client.waitsFor(runId))?.code, 'no-current-version');
  await setCurrentVersion(world.setup, world.version);
  assert.equal((await world.client.result(runId)).outcome, 'succeeded');
  assert.deepEqual(await findWaitingRuns(world.setup, world.version.deploymentName), []);
});

test('once a version was made current, every queue sends new work to it', async () => {
  await using world = await createWorld({ promote: false });
  await setCurrentVersion(world.setup, world.version);
  for (const queue of Object.values(taskQueues))
    assert.deepEqual(
      (await describeVersions(world.setup, queue, queue === taskQueues.runs)).current,
      world.version,
      queue,
    );
});

/** Until Temporal has seen a worker of the version. */
async function untilServed({ setup }: World, version: WorkerDeploymentVersion): Promise<void> {
  while (!isServed(await describeVersions(setup), version)) await wait(50);
}
