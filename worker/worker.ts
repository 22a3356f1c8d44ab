/** One worker against any Temporal: four task queues, each with its own slots, drained together. */
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
  /** Resolves when the worker has drained; rejects where it can't go on. */
  readonly ended: Promise<void>;
  /** Takes nothing new, lets what runs end or be taken up by another worker. Repeatable. */
  shutdown(): void;
}

export async function startWorker({
  connection,
  namespace,
  parts,
  redact,
  config,
  bundle,
  metrics,
}: {
  connection: NativeConnection;
  namespace: string;
  parts: Parts;
  redact: Redact;
  config: Config;
  bundle: WorkflowBundle;
  metrics: Metrics;
}): Promise<JigWorker> {
  const { sandboxSlots, modelSlots, forgeSlots, shutdownGraceMs, takeOverAfterMs } = config.worker;
  const common = {
    connection,
    namespace,
    shutdownGraceTime: shutdownGraceMs,
    // Commands end or are let go within the grace; past it the process goes all the same.
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
    // An error that no step caught fails the run instead of wedging it in retries of its workflow task.
    workflowFailureErrorTypes: { '*': ['Error'] },
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
  // One that fails takes the others down: a worker that serves half of its queues looks alive and isn't.
  for (const each of running) each.catch(shutdown);
  return { ended: Promise.all(running).then(() => undefined), shutdown };
}
