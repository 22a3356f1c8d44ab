/** One Temporal server, and one worker for each queue, for all cases. Cases run at the same time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { ActivityFrame } from '../../activities/activity.ts';
import { ensureBinary } from '../../binaries/ensure-binary.ts';
import { createClient } from '../../client/client.ts';
import { cacheDirOf } from '../../worker/config.ts';
import { installLogging } from '../../worker/logging.ts';
import { startTemporalServer } from '../../worker/temporal-server.ts';
import { buildIdOf, ensureNewestIsCurrent } from '../../worker/versions.ts';
import { bundleWorkflows } from '../../worker/workflow-bundle.ts';
import { taskQueues, type RunEnd } from '../../workflows/messages.ts';
import { createActivities } from './activities.ts';
import type { Case } from './case.ts';
import { takePart } from './people.ts';
import { World } from './world.ts';

installLogging(pino({ level: process.env['JIG_TEST_LOG'] ?? 'fatal' }));

export interface Suite extends AsyncDisposable {
  /** Carries a case out to its end. */
  run(ofCase: Case): Promise<{ end: RunEnd; world: World }>;
}

const caseTimeoutMs = 180_000;

export async function startSuite(): Promise<Suite> {
  const folder = await mkdtemp(join(tmpdir(), 'jig-property-'));
  // Collecting garbage less often saves a quarter of the server's processor time.
  process.env['GOGC'] ??= '400';
  const cliPath = await ensureBinary('temporal', {
    cacheDir: join(cacheDirOf(process.env), 'binaries'),
    env: process.env,
  });
  const server = await startTemporalServer({
    cliPath,
    dbFile: join(folder, 'temporal.db'),
    logFile: join(folder, 'log'),
  });
  const native = await NativeConnection.connect({ address: server.address });
  const worlds = new Map<string, World>();
  const workers = await startWorkers(native, worlds);
  const connection = await Connection.connect({ address: server.address });
  const client = createClient(new Client({ connection }), undefined, { answerTimeoutMs: caseTimeoutMs });
  let count = 0;
  return {
    async run(ofCase) {
      const world = new World(ofCase);
      const name = `case/${(count += 1)}`;
      worlds.set(name, world);
      const text = JSON.stringify({ blueprint: 'v1', name: 'property', steps: ofCase.steps });
      const blueprint = { name: 'property', text, file: 'blueprint.yaml' };
      const { runId } = await client.start({
        blueprint,
        repository: { forge: 'memory', name },
        inputs: {},
        requester: 'ada',
      });
      const ended = new AbortController();
      const people = takePart(client, runId, world, ended.signal);
      const late = AbortSignal.timeout(caseTimeoutMs);
      const expired = new Promise<never>((_, reject) => {
        late.addEventListener('abort', () => reject(new Error(`${runId} did not end in time`)));
      });
      try {
        // An error of the people's script ends the case.
        const end = await Promise.race([client.result(runId), people.then(() => expired), expired]);
        return { end, world };
      } finally {
        ended.abort();
        await people.catch(() => undefined);
        worlds.delete(name);
      }
    },
    async [Symbol.asyncDispose]() {
      await workers.stop();
      await client.close();
      await native.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function startWorkers(connection: NativeConnection, worlds: Map<string, World>) {
  const activities = createActivities((runId) => {
    const world = worlds.get(/\b(case\/\d+)\//.exec(runId)?.[1] ?? '');
    if (!world) throw new Error(`No case belongs to ${runId}`);
    return world;
  });
  const frame = {
    activity: [
      () => ({
        inbound: new ActivityFrame(
          (text) => text,
          () => undefined,
        ),
      }),
    ],
  };
  const bundle = await bundleWorkflows(process.env);
  const version = { deploymentName: 'property', buildId: buildIdOf(bundle) };
  const common = {
    connection,
    namespace: 'default',
    workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' },
  } satisfies Partial<WorkerOptions>;
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: taskQueues.runs, workflowBundle: bundle, reuseV8Context: true }),
    ...[taskQueues.sandbox, taskQueues.model, taskQueues.forge].map((taskQueue) =>
      Worker.create({ ...common, taskQueue, activities: { ...activities }, interceptors: frame }),
    ),
  ]);
  const running = workers.map((worker) => worker.run());
  // A run that starts before Temporal knows of the workers would wait for others.
  await ensureNewestIsCurrent(common, version);
  return {
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
    },
  };
}
