/** Reads from Temporal which versions of Jig are current, which have workers, and which open runs wait for. */
import type { ConnectionLike } from '@temporalio/client';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import proto from '@temporalio/proto';
import { runWorkflowType, taskQueues } from '../workflows/messages.ts';
import { grpc, grpcErrorOf } from './translate.ts';

/** The connection and the namespace to ask. */
export interface TemporalNamespace {
  connection: Pick<ConnectionLike, 'workflowService'>;
  namespace: string;
}

/** A worker that hasn't asked for work for this long is gone. Even an idle one asks about once a minute. */
const awayMs = 120_000;

/** The end of the name of a worker that is there for older runs. */
export const forOlderRuns = ' for older runs';

/** The versions of a queue. */
export interface QueueVersions {
  /** The version on which new runs start. */
  current: WorkerDeploymentVersion | undefined;
  /** The workers of the last five minutes, and when each last asked for work. */
  workers: {
    version: WorkerDeploymentVersion | undefined;
    seenAtMs: number;
    /** Whether it is there for open runs of another version than its process's own. */
    isForOlderRuns: boolean;
  }[];
}

/** What Temporal knows of a queue: one of workflow code, or one of activities. */
export async function describeVersions(
  { connection, namespace }: TemporalNamespace,
  queue: string = taskQueues.runs,
  isOfWorkflows = true,
): Promise<QueueVersions> {
  const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;
  const { versioningInfo, pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: isOfWorkflows ? TASK_QUEUE_TYPE_WORKFLOW : TASK_QUEUE_TYPE_ACTIVITY,
  });
  return {
    current: parseVersion(versioningInfo?.currentDeploymentVersion),
    workers: (pollers ?? []).map(({ deploymentOptions, identity, lastAccessTime }) => ({
      version: parseVersion(deploymentOptions),
      seenAtMs: Number(lastAccessTime?.seconds ?? 0) * 1000,
      isForOlderRuns: (identity ?? '').endsWith(forOlderRuns),
    })),
  };
}

/** When a worker of this version was last seen in the last few minutes. */
export function seenAtMs({ workers }: QueueVersions, wanted: WorkerDeploymentVersion): number | undefined {
  const seen = workers.filter(({ version }) => version && isSame(version, wanted)).map(({ seenAtMs: ms }) => ms);
  return seen.length > 0 ? Math.max(...seen) : undefined;
}

/** Whether a worker of this version asked for work in the last two minutes. */
export function isServed(versions: QueueVersions, wanted: WorkerDeploymentVersion): boolean {
  return Date.now() - (seenAtMs(versions, wanted) ?? 0) < awayMs;
}

/** How many open runs are pinned to this version. */
export async function countOpenRuns(
  { connection, namespace }: TemporalNamespace,
  { deploymentName, buildId }: WorkerDeploymentVersion,
): Promise<number> {
  const version = `${deploymentName}:${buildId}`.replaceAll("'", '');
  const { count } = await connection.workflowService.countWorkflowExecutions({
    namespace,
    query: `WorkflowType = '${runWorkflowType}' AND ExecutionStatus = 'Running' AND TemporalWorkerDeploymentVersion = '${version}'`,
  });
  return Number(count);
}

/** How many open runs wait for a version. */
export interface WaitingRuns {
  version: WorkerDeploymentVersion;
  runs: number;
}

/** The versions that open runs are pinned to and that no worker serves. */
export async function findWaitingRuns(server: TemporalNamespace, deploymentName: string): Promise<WaitingRuns[]> {
  const [versions, deployment] = await Promise.all([describeVersions(server), findDeployment(server, deploymentName)]);
  const away = (deployment?.versionSummaries ?? [])
    .map(({ deploymentVersion }) => parseVersion(deploymentVersion))
    .filter((version) => version !== undefined)
    .filter((version) => !isServed(versions, version));
  const counted = await Promise.all(
    away.map(async (version) => ({ version, runs: await countOpenRuns(server, version) })),
  );
  return counted.filter(({ runs }) => runs > 0);
}

/** The text for people who start a worker or ask what is wrong. */
export function describeWaitingRuns({ version: { buildId }, runs }: WaitingRuns): { message: string; hint: string } {
  return {
    message: `${runs === 1 ? '1 run waits' : `${runs} runs wait`} for version ${buildId} of Jig, but no worker has it`,
    hint: 'Start that version again with `jig up` or `jig worker`, or give the runs up: docs/how-to/upgrade-jig.md has the commands.',
  };
}

/** The deployment; undefined if none of its workers has ever connected. */
export async function findDeployment({ connection, namespace }: TemporalNamespace, deploymentName: string) {
  try {
    const { workerDeploymentInfo } = await connection.workflowService.describeWorkerDeployment({
      namespace,
      deploymentName,
    });
    return workerDeploymentInfo ?? undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export function isNotFound(error: unknown): boolean {
  return grpcErrorOf(error)?.code === grpc.notFound;
}

/** The version in Temporal's form; undefined if a part is missing. */
export function parseVersion(
  wire: { deploymentName?: string | null; buildId?: string | null } | null | undefined,
): WorkerDeploymentVersion | undefined {
  const { deploymentName, buildId } = wire ?? {};
  return deploymentName && buildId ? { deploymentName, buildId } : undefined;
}

export function isSame(a: WorkerDeploymentVersion, b: WorkerDeploymentVersion): boolean {
  return a.deploymentName === b.deploymentName && a.buildId === b.buildId;
}
