/** Explains why nobody answers for a run: its version has no worker, or a worker's code doesn't fit it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import proto from '@temporalio/proto';
import { JigError } from '../base/errors.ts';
import { describeVersions, isSame, isServed, parseVersion, seenAtMs } from './versions.ts';

const mismatch = proto.temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;

const codes = new Set<string>([
  'temporal-unreachable',
  'version-without-worker',
  'no-current-version',
  'history-mismatch',
]);

/** Whether the error means that nobody answered, for whatever reason. */
export function isNoAnswer(error: unknown): error is JigError {
  return error instanceof JigError && codes.has(error.code);
}

/** How long to wait for an answer before looking for a reason. */
const patienceMs = 1000;

/** A query or a message to a run. */
interface Call<Value> {
  runId: string;
  work: () => Promise<Value>;
  /** Ends the wait for it. */
  signal?: AbortSignal | undefined;
  /** What the error says in addition to the reason, if nobody answers. */
  besides?: string;
}

/** Does the work. If nobody answers, it throws the reason as soon as that is certain. */
export async function explainNoAnswer<Value>(
  temporal: Client,
  { runId, work, signal, besides = '' }: Call<Value>,
): Promise<Value> {
  const adding = ({ code, message, hint }: JigError): JigError =>
    new JigError(code, `${message}${besides}`, { ...(hint !== undefined && { hint }) });
  const letGo = new AbortController();
  const signals = signal ? [signal, letGo.signal] : [letGo.signal];
  const answer = temporal.withAbortSignal(AbortSignal.any(signals), work);
  const settle = (): undefined => {
    letGo.abort();
    return undefined;
  };
  const settled = answer.then(settle, settle);
  const reason = await Promise.race([
    settled,
    wait(patienceMs, undefined, { signal: letGo.signal })
      .then(() => findNoAnswerReason(temporal, runId, { certain: true }))
      .catch(() => undefined)
      .then((found) => found ?? settled),
  ]);
  if (reason) {
    letGo.abort();
    // If the connection closed during a call, the call would be tried again on it.
    await settled;
    throw adding(reason);
  }
  try {
    return await answer;
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    const isMisfit = error.code === 'history-mismatch';
    const found = await findNoAnswerReason(temporal, runId, { certain: false, isMisfit }).catch(() => undefined);
    throw adding(found ?? error);
  }
}

/**
 * Finds why nobody answers; undefined if the versions don't explain it. `certain` ignores reasons that depend on a
 * worker that only just left. `isMisfit` says that a worker has already reported that its code doesn't fit.
 * @throws what Temporal's client throws
 */
export async function findNoAnswerReason(
  temporal: Client,
  runId: string,
  { certain, isMisfit = false }: { certain: boolean; isMisfit?: boolean },
): Promise<JigError | undefined> {
  const {
    connection,
    options: { namespace },
  } = temporal;
  const { raw, status, taskQueue } = await temporal.workflow.getHandle(runId).describe();
  if (status.name !== 'RUNNING') return undefined;
  const info = raw.workflowExecutionInfo;
  const versions = await describeVersions({ connection, namespace }, taskQueue);
  const pinned =
    parseVersion(info?.versioningInfo?.versioningOverride?.pinned?.version) ??
    parseVersion(info?.versioningInfo?.deploymentVersion);
  const wanted = pinned ?? versions.current;
  if (isMisfit || ((raw.pendingWorkflowTask?.attempt ?? 0) > 1 && (await hasMisfit(temporal, runId))))
    return historyMismatch(runId, wanted);
  if (!wanted) {
    if (versions.workers.length === 0)
      return new JigError('temporal-unreachable', `${runId} waits for a worker, but there is none`, {
        hint: 'Start `jig up` or `jig worker`.',
      });
    return new JigError('no-current-version', `${runId} waits: there are workers, but no version of Jig is current`, {
      hint: 'Set one: `temporal worker deployment set-current-version --deployment-name jig --build-id VERSION`. `jig worker` sets it by itself, unless `worker.versions.promote` is `manual`.',
    });
  }
  const seen = seenAtMs(versions, wanted);
  // A worker that is alive asks for work once a minute. One of the current version that doesn't answer may be slow.
  const isCurrent = versions.current !== undefined && isSame(versions.current, wanted);
  if (isServed(versions, wanted) && (certain || isCurrent)) return undefined;
  return versionWithoutWorker(runId, wanted, seen);
}

function versionWithoutWorker(runId: string, { buildId }: WorkerDeploymentVersion, seen: number | undefined): JigError {
  const ago = seen === undefined ? '' : `; the last was seen ${Math.round((Date.now() - seen) / 1000)} s ago`;
  return new JigError(
    'version-without-worker',
    `${runId} waits for version ${buildId} of Jig, but no worker of that version answers${ago}`,
    { hint: 'Start that version again with `jig up` or `jig worker`. docs/how-to/upgrade-jig.md has other ways.' },
  );
}

function historyMismatch(runId: string, version: WorkerDeploymentVersion | undefined): JigError {
  return new JigError(
    'history-mismatch',
    `${runId} waits: the code of the version that it was moved to${version ? `, ${version.buildId},` : ''} doesn't fit its history`,
    { hint: 'Move it back to the version that it started on: docs/how-to/upgrade-jig.md has the commands.' },
  );
}

/**
 * Whether code that doesn't fit has failed since the run was last moved. Of consecutive failures, the history holds
 * only the first.
 */
async function hasMisfit({ workflowService, options: { namespace } }: Client, runId: string): Promise<boolean> {
  const { history } = await workflowService.getWorkflowExecutionHistoryReverse({
    namespace,
    execution: { workflowId: runId },
    maximumPageSize: 20,
  });
  const last = history?.events?.find(
    (event) => event.workflowTaskFailedEventAttributes ?? event.workflowExecutionOptionsUpdatedEventAttributes,
  );
  return last?.workflowTaskFailedEventAttributes?.cause === mismatch;
}
