/** The operations on pods that sandboxes need: make, wait, find, list, remove. */
import { setTimeout as wait } from 'node:timers/promises';
import { PatchStrategy, setHeaderOptions, Watch, type V1Pod } from '@kubernetes/client-node';
import { SandboxRefused, SandboxUnavailable } from '../sandbox/errors.ts';
import { ApiRefusal, ask, type Cluster } from './api.ts';
import { annotations, managedBy, podName } from './pod-spec.ts';
import { findEnd, findProblem, isStarted, lastWarning, type PodProblem } from './pod-state.ts';

/** How often a pod is read even if no watch reports a change. */
const lookEveryMs = 2000;
const removalTimeoutMs = 30_000;

export interface Pods {
  cluster: Cluster;
  namespace: string;
}

/** How long the last pod of the name may take to go, if no start time is given. */
const defaultPatience = { startTimeoutMs: 60_000 };
const quotaRetryMs = 2000;

/**
 * Makes the pod, or finds that of the same sandbox. Waits while a quota is used up, or while the last pod of the name
 * goes. Repeatable.
 * @throws SandboxRefused if the name belongs to another pod, SandboxUnavailable if the cluster refuses
 */
export async function ensurePod(
  pods: Pods,
  wanted: V1Pod,
  signal?: AbortSignal,
  { startTimeoutMs }: Pick<StartLimits, 'startTimeoutMs'> = defaultPatience,
): Promise<V1Pod> {
  const { cluster, namespace } = pods;
  const name = wanted.metadata?.name ?? '';
  const giveUpAt = performance.now() + startTimeoutMs;
  for (;;) {
    let refusal: ApiRefusal;
    try {
      return await ask(cluster, () => cluster.core.createNamespacedPod({ namespace, body: wanted }), signal);
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      refusal = error;
    }
    const isTaken = refusal.status === 409 && refusal.reason === 'AlreadyExists';
    if (!isTaken && (!mayBeAdmittedLater(refusal) || performance.now() + quotaRetryMs > giveUpAt))
      throw notAdmitted(refusal);
    if (!isTaken) await wait(quotaRetryMs, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    const existing = isTaken ? await findPod(pods, name, signal) : undefined;
    if (!existing) continue;
    checkSame(existing, wanted, namespace);
    if (!findEnd(existing)) return existing;
    // This pod can't be used any more, and its name is needed.
    await removePod(pods, existing, signal, Math.min(removalTimeoutMs, giveUpAt - performance.now()));
    if (performance.now() > giveUpAt)
      throw new SandboxUnavailable('sandbox-not-started', `The earlier pod ${name} is still being removed`, {
        retryable: true,
      });
  }
}

/** Checks that a pod is the wanted one. @throws SandboxRefused if it isn't Jig's, or has another specification */
function checkSame(existing: V1Pod, wanted: V1Pod, namespace: string): void {
  const hint = 'Remove it, or give sandboxes a namespace of their own.';
  const name = existing.metadata?.name ?? '';
  if (idOf(existing) !== idOf(wanted))
    throw new SandboxRefused(`the pod ${name} in ${namespace} was not made by Jig`, { hint });
  const [had, has] = [existing, wanted].map(({ metadata }) => metadata?.annotations?.[annotations.specHash]);
  if (had !== has)
    throw new SandboxRefused(
      `the pod ${name} in ${namespace} was made with another image, other resources or another environment`,
      { hint },
    );
}

/**
 * Whether a refused pod may be admitted later: a quota becomes free when other sandboxes end, and a new namespace soon
 * gets its service account.
 */
function mayBeAdmittedLater({ status, message }: ApiRefusal): boolean {
  return status === 409 || (status === 403 && /exceeded quota|serviceaccount ".*" not found/i.test(message));
}

/** The error for a refused pod. Its text is the cluster's own. */
function notAdmitted({ status, message }: ApiRefusal): SandboxUnavailable {
  return new SandboxUnavailable('sandbox-not-admitted', `The cluster refused the sandbox (${status}): ${message}`, {
    retryable: false,
  });
}

/** The sandbox's id from the pod's annotation; undefined if the pod isn't Jig's. */
export function idOf({ metadata }: V1Pod): string | undefined {
  return Object.entries(managedBy).every(([label, value]) => metadata?.labels?.[label] === value)
    ? metadata?.annotations?.[annotations.id]
    : undefined;
}

/** Reads a pod; undefined if there is none. */
export async function findPod(
  { cluster, namespace }: Pods,
  name: string,
  signal?: AbortSignal,
): Promise<V1Pod | undefined> {
  try {
    return await ask(cluster, () => cluster.core.readNamespacedPod({ namespace, name }), signal);
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 404) return undefined;
    throw error;
  }
}

/** All pods of the namespace that Jig made. */
export async function listPods({ cluster, namespace }: Pods): Promise<V1Pod[]> {
  const labelSelector = Object.entries(managedBy)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
  const { items } = await ask(cluster, () => cluster.core.listNamespacedPod({ namespace, labelSelector }));
  return items;
}

/** Writes to the sandbox's pod until when it is needed. Repeatable. @returns false if this sandbox has no pod */
export async function renewPod({ cluster, namespace }: Pods, id: string, leaseMs: number): Promise<boolean> {
  const at = (annotation: string): string => `/metadata/annotations/${annotation.replace('/', '~1')}`;
  const leasedUntil = new Date(Date.now() + leaseMs).toISOString();
  const body = [
    { op: 'test', path: at(annotations.id), value: id },
    { op: 'add', path: at(annotations.leasedUntil), value: leasedUntil },
  ];
  const asJsonPatch = setHeaderOptions('Content-Type', PatchStrategy.JsonPatch);
  try {
    await ask(cluster, () => cluster.core.patchNamespacedPod({ namespace, name: podName(id), body }, asJsonPatch));
    return true;
  } catch (error) {
    // The pod is gone or another one: 422 says that the test in the patch failed.
    if (error instanceof ApiRefusal && (error.status === 404 || error.status === 422)) return false;
    throw error;
  }
}

/**
 * Removes this very pod and waits, for a limited time, until it is gone. Another pod with the same name stays.
 * Repeatable.
 */
export async function removePod(
  pods: Pods,
  { metadata }: V1Pod,
  signal?: AbortSignal,
  timeoutMs = removalTimeoutMs,
): Promise<void> {
  const { cluster, namespace } = pods;
  const name = metadata?.name ?? '';
  const uid = metadata?.uid ?? '';
  let going: V1Pod;
  try {
    going = await ask(
      cluster,
      () => cluster.core.deleteNamespacedPod({ namespace, name, body: { preconditions: { uid } } }),
      signal,
    );
  } catch (error) {
    // The pod is gone, or another pod has the name.
    if (error instanceof ApiRefusal && (error.status === 404 || error.status === 409)) return;
    throw error;
  }
  const isGone = (pod: V1Pod | undefined): boolean => pod?.metadata?.uid !== uid;
  // A node that doesn't answer keeps the pod's name for minutes. Then nothing useful is left to wait for.
  await untilPod(pods, { name, holds: isGone, timeoutMs, signal, resourceVersion: going.metadata?.resourceVersion });
}

export interface StartLimits {
  startTimeoutMs: number;
  pullTimeoutMs: number;
}

/** Waits until the pod's container runs. @throws SandboxUnavailable with the text of the cluster's event */
export async function untilStarted(
  pods: Pods,
  pod: V1Pod,
  { startTimeoutMs, pullTimeoutMs }: StartLimits,
  signal?: AbortSignal,
): Promise<V1Pod> {
  const { name = '', uid = '', resourceVersion } = pod.metadata ?? {};
  const startedAt = performance.now();
  const isOver = (seen: V1Pod | undefined): boolean => {
    if (seen?.metadata?.uid !== uid || isStarted(seen)) return true;
    const problem = findProblem(seen);
    return (
      problem?.recovers === 'never' || (problem?.recovers === 'pull' && performance.now() - startedAt > pullTimeoutMs)
    );
  };
  if (isStarted(pod)) return pod;
  const last = await untilPod(pods, { name, holds: isOver, timeoutMs: startTimeoutMs, signal, resourceVersion });
  if (last?.metadata?.uid !== uid)
    throw new SandboxUnavailable('sandbox-not-started', `The pod ${name} was removed before it started`, {
      retryable: true,
    });
  if (isStarted(last)) return last;
  throw await describeProblem(pods, last, findProblem(last), startTimeoutMs);
}

async function describeProblem(
  { cluster, namespace }: Pods,
  { metadata, status }: V1Pod,
  problem: PodProblem | undefined,
  timeoutMs: number,
): Promise<SandboxUnavailable> {
  const events = await ask(cluster, () =>
    cluster.core.listNamespacedEvent({ namespace, fieldSelector: `involvedObject.uid=${metadata?.uid ?? ''}` }),
  ).catch(() => undefined);
  const warning = lastWarning(events?.items ?? []);
  const said = [
    problem
      ? `${problem.reason}: ${problem.message}`
      : `it is ${status?.phase ?? 'unknown'} after ${Math.round(timeoutMs / 1000)} s`,
    ...(warning ? [`the cluster says ${warning}`] : []),
  ];
  return new SandboxUnavailable(
    problem?.code ?? 'sandbox-not-started',
    `The pod ${metadata?.name ?? ''} did not start: ${said.join('; ')}`,
    { retryable: false },
  );
}

interface PodCondition {
  name: string;
  holds: (pod: V1Pod | undefined) => boolean;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** The version of the pod that is already known. */
  resourceVersion?: string | undefined;
}

/**
 * The pod once the condition holds, or when the time is up. A watch is only a hint to look sooner: a bad state is
 * believed only if reading the pod confirms it.
 */
async function untilPod(
  pods: Pods,
  { name, holds, timeoutMs, signal, resourceVersion }: PodCondition,
): Promise<V1Pod | undefined> {
  const giveUpAt = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(0, Math.min(lookEveryMs, giveUpAt - performance.now()));
  using hint = watchPod(pods, name, resourceVersion);
  let shown = resourceVersion === undefined ? undefined : await hint.next(leftMs(), signal);
  for (;;) {
    // A good state needs no second read: the first command in the pod is one.
    if (shown?.type !== 'DELETED' && shown && isStarted(shown.pod) && holds(shown.pod)) return shown.pod;
    if (!shown || shown.type === 'DELETED' || holds(shown.pod)) {
      const read = await findPod(pods, name, signal);
      if (holds(read) || performance.now() >= giveUpAt) return read;
    }
    shown = await hint.next(leftMs(), signal);
  }
}

interface PodChange {
  type: string;
  pod: V1Pod;
}

const watchAgainMs = { first: 500, most: 10_000 };

/** Watches a pod. A watch that ends, breaks or is refused is started again until the watcher is closed. */
function watchPod(pods: Pods, name: string, resourceVersion: string | undefined) {
  const closing = new AbortController();
  let seen: PodChange | undefined;
  let wake = (): void => undefined;
  const onChange = (shown: PodChange): void => {
    seen = shown;
    wake();
  };
  const watch = async (): Promise<void> => {
    let from = resourceVersion;
    for (
      let pauseMs = watchAgainMs.first;
      !closing.signal.aborted;
      pauseMs = Math.min(pauseMs * 2, watchAgainMs.most)
    ) {
      // The waiting code also reads the pod itself, and learns there what is wrong.
      await watchOnce(pods, name, from, onChange, closing.signal).catch(() => undefined);
      from = undefined;
      await wait(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };
  void watch();
  return {
    /** The next change; undefined after the time. @throws the abort's reason */
    async next(timeoutMs: number, signal: AbortSignal | undefined): Promise<PodChange | undefined> {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const done = new AbortController();
      const signals = signal ? [done.signal, signal] : [done.signal];
      if (!seen)
        await Promise.race([
          promise,
          wait(timeoutMs, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined),
        ]);
      done.abort();
      signal?.throwIfAborted();
      const shown = seen;
      seen = undefined;
      return shown;
    },
    [Symbol.dispose]: () => closing.abort(),
  };
}

/** Runs one watch until it ends, breaks or is closed. @throws if it is refused */
async function watchOnce(
  { cluster, namespace }: Pods,
  name: string,
  from: string | undefined,
  onChange: (shown: PodChange) => void,
  closing: AbortSignal,
): Promise<void> {
  const ended = Promise.withResolvers<void>();
  // Without a version to start from, it begins with the pod's current state, so nothing is missed between two watches.
  const query = { fieldSelector: `metadata.name=${name}`, ...(from !== undefined && { resourceVersion: from }) };
  const controller = await new Watch(cluster.kubeConfig).watch(
    `/api/v1/namespaces/${namespace}/pods`,
    query,
    // An error's object is a status, such as 410 Gone: the version is too old.
    (type: string, pod: V1Pod) => (type === 'ERROR' ? ended.resolve() : onChange({ type, pod })),
    () => ended.resolve(),
  );
  const close = (): void => controller.abort();
  closing.addEventListener('abort', close);
  if (closing.aborted) close();
  await ended.promise;
  close();
  closing.removeEventListener('abort', close);
}
