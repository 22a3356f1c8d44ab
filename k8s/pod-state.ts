/** Reads a pod's status: how far the pod has come, and what is wrong with it. Pure. */
import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import type { ErrorCode } from '../base/errors.ts';
import type { StateReached } from '../sandbox/contract.ts';

/** Why a pod doesn't start. */
export interface PodProblem {
  code: Extract<ErrorCode, 'sandbox-unschedulable' | 'sandbox-image-unavailable' | 'sandbox-not-started'>;
  reason: string;
  message: string;
  /** Whether waiting helps. `never`: no; `pull`: a registry may answer again; `maybe`: a node may become free. */
  recovers: 'never' | 'pull' | 'maybe';
}

const imageReasons = {
  never: ['ErrImageNeverPull', 'InvalidImageName', 'ErrImageInspect'],
  pull: ['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'SignatureValidationFailed'],
};
const containerReasons = {
  never: ['CreateContainerConfigError', 'RunContainerError', 'StartError', 'ContainerCannotRun'],
  maybe: ['CreateContainerError', 'CrashLoopBackOff', 'ContainerStatusUnknown'],
};

/** The states that the pod has reached, by the cluster's clock, which counts whole seconds. */
export function podStates({ metadata, status }: V1Pod): StateReached[] {
  const scheduled = status?.conditions?.find(({ type, status: holds }) => type === 'PodScheduled' && holds === 'True');
  const started = status?.containerStatuses?.[0]?.state?.running?.startedAt;
  return [
    ...(metadata?.creationTimestamp ? [{ state: 'created' as const, at: toIso(metadata.creationTimestamp) }] : []),
    ...(scheduled?.lastTransitionTime
      ? [{ state: 'scheduled' as const, at: toIso(scheduled.lastTransitionTime) }]
      : []),
    ...(started ? [{ state: 'started' as const, at: toIso(started) }] : []),
  ];
}

/** Whether the pod's container runs. */
export function isStarted({ status }: V1Pod): boolean {
  return status?.phase === 'Running' && status.containerStatuses?.[0]?.state?.running !== undefined;
}

/** Why a pod has ended. */
export interface PodEnd {
  reason: string;
  message: string;
  /** How its commands ended, if the pod ended because they used too much. */
  ending?: 'out-of-memory' | 'disk-full';
}

/** Why no command will ever run in the pod again; undefined if one may. */
export function findEnd({ metadata, status }: V1Pod): PodEnd | undefined {
  const terminated = status?.containerStatuses?.[0]?.state?.terminated;
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded' || terminated) {
    const reason = status?.reason ?? terminated?.reason ?? status?.phase ?? 'ended';
    const message =
      status?.message ??
      terminated?.message ??
      `its container ended with exit code ${terminated?.exitCode ?? 'unknown'}`;
    const ending =
      terminated?.reason === 'OOMKilled'
        ? ('out-of-memory' as const)
        : reason === 'Evicted' && isOwnDiskEviction(message)
          ? ('disk-full' as const)
          : undefined;
    return { reason, message, ...(ending && { ending }) };
  }
  if (metadata?.deletionTimestamp) return { reason: 'Deleted', message: 'somebody deleted it' };
  return undefined;
}

/** Whether its container has ended without a known reason. The kubelet reports an eviction some moments after it. */
export function isUnexplained({ metadata, status }: V1Pod): boolean {
  const terminated = status?.containerStatuses?.[0]?.state?.terminated;
  return (
    terminated !== undefined && terminated.reason !== 'OOMKilled' && !status?.reason && !metadata?.deletionTimestamp
  );
}

/**
 * Whether the kubelet evicted the pod for what it wrote itself. If the node is short of something, it evicts any pod.
 */
function isOwnDiskEviction(message: string): boolean {
  return /usage of emptydir volume .* exceeds the limit|ephemeral local storage usage exceeds the total limit|exceeded its local ephemeral storage limit/i.test(
    message,
  );
}

/** What prevents the pod from starting, if anything. */
export function findProblem(pod: V1Pod): PodProblem | undefined {
  const { status } = pod;
  const waiting = status?.containerStatuses?.[0]?.state?.waiting;
  const reason = waiting?.reason ?? '';
  const message = waiting?.message ?? '';
  for (const recovers of ['never', 'pull'] as const)
    if (imageReasons[recovers].includes(reason))
      return { code: 'sandbox-image-unavailable', reason, message, recovers };
  for (const recovers of ['never', 'maybe'] as const)
    if (containerReasons[recovers].includes(reason)) return { code: 'sandbox-not-started', reason, message, recovers };
  const end = findEnd(pod);
  if (end) return { code: 'sandbox-not-started', ...end, recovers: 'never' };
  const unscheduled = status?.conditions?.find(
    ({ type, status: holds }) => type === 'PodScheduled' && holds === 'False',
  );
  if (unscheduled)
    return {
      code: 'sandbox-unschedulable',
      reason: unscheduled.reason ?? 'Unschedulable',
      message: unscheduled.message ?? '',
      recovers: 'maybe',
    };
  return undefined;
}

/** The latest warning among the events, in its own words. */
export function lastWarning(events: CoreV1Event[]): string | undefined {
  const warnings = events.filter(({ type }) => type === 'Warning').toSorted((a, b) => timeOf(a) - timeOf(b));
  const last = warnings.at(-1);
  return last && `${last.reason ?? 'Warning'}: ${last.message ?? ''}`.slice(0, 1000);
}

function timeOf({ lastTimestamp, eventTime, metadata }: CoreV1Event): number {
  return new Date(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? 0).getTime();
}

const toIso = (time: Date | string): string => new Date(time).toISOString();
