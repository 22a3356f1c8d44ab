/** The workers of one version for any Temporal server: four task queues, each with its own slots, drained together. */
import { hostname } from 'node:os';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { ActivityFrame, type Redact } from '../activities/activity.ts';
import { createForgeActivities } from '../activities/forge-activities.ts';
import { createModelActivities } from '../activities/model-activities.ts';
import type { Parts } from '../activities/parts.ts';
import { createRunActivities } from '../activities/run-activities.ts';
import { createSandboxActivities } from '../activities/sandbox-activities.ts';
import { taskQueues } from '../workflows/messages.ts';
import type { Config } from './config.ts';
import type { Metrics } from './health.ts';
import type { WorkflowBundle } from './workflow-bundle.ts';

export interface JigWorker {
  /** Resolves when the worker has drained; rejects if it can't go on. */
  readonly ended: Promise<void>;
  /** Stops taking work. Running work ends, or is left to another worker. Repeatable. */
  shutdown(): void;
}

/** What the workers of all versions in a process share. */
export interface WorkerSetup {
  connection: NativeConnection;
  namespace: string;
  parts: Parts;
  redact: Redact;
  config: Config;
  metrics: Metrics;
}

/** The name by which Temporal shows a worker's process. */
export const workerName = `${process.pid}@${hostname()}`;

/**
 * Types of errors in a message's handler that end the run. `Error` itself must not be among them: for Temporal it
 * includes a history that doesn't fit the code, and such a run must wait for a worker whose code fits.
 */
const failingTypes = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'URIError', 'EvalError'];

/** Starts the workers of all four queues for one version. */
export async function startWorker({
  connection,
  namespace,
  parts,
  redact,
  config,
  metrics,
  bundle,
  version,
  identity = workerName,
}: WorkerSetup & { bundle: WorkflowBundle; version: WorkerDeploymentVersion; identity?: string }): Promise<JigWorker> {
  const { sandboxSlots, modelSlots, forgeSlots, shutdownGraceMs, takeOverAfterMs } = config.worker;
  const common = {
    connection,
    namespace,
    identity,
    shutdownGraceTime: shutdownGraceMs,
    // Commands end or are let go within the grace time. After it, the process ends anyway.
    shutdownForceTime: shutdownGraceMs + 10_000,
    interceptors: {
      activity: [
        () => ({
          inbound: new ActivityFrame(redact, (activity, outcome, tookMs) =>
            metrics.activities.observe({ activity, outcome }, tookMs / 1000),
          ),
        }),
      ],
    },
    workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' },
    workflowFailureErrorTypes: { '*': failingTypes },
  } satisfies Partial<WorkerOptions>;
  const activities = (slots: number) => ({ ...common, maxConcurrentActivityTaskExecutions: slots });
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: taskQueues.runs,
      workflowBundle: bundle,
      maxConcurrentWorkflowTaskExecutions: 40,
      reuseV8Context: true,
      stickyQueueScheduleToStartTimeout: takeOverAfterMs,
    }),
    Worker.create({
      ...activities(sandboxSlots),
      taskQueue: taskQueues.sandbox,
      activities: { ...createSandboxActivities(parts) },
    }),
    Worker.create({
      ...activities(modelSlots),
      taskQueue: taskQueues.model,
      activities: { ...createModelActivities(parts) },
    }),
    Worker.create({
      ...activities(forgeSlots),
      taskQueue: taskQueues.forge,
      activities: { ...createForgeActivities(parts), ...createRunActivities(parts) },
    }),
  ]);
  const running = workers.map((worker) => worker.run());
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  // A worker that fails stops the others: a process that serves only half of its queues looks healthy and isn't.
  for (const each of running) each.catch(shutdown);
  return { ended: Promise.all(running).then(() => undefined), shutdown };
}
