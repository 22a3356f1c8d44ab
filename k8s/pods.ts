/** Pods as sandboxes need them: made once, waited for, found, listed, removed. */
import { setTimeout as wait } from 'node:timers/promises';
import { Watch, type V1Pod } from '@kubernetes/client-node';
import { SandboxRefused, SandboxUnavailable } from '../sandbox/errors.ts';
import { ApiRefusal, ask, type Cluster } from './api.ts';
import { annotations, managedBy } from './pod-spec.ts';
import { findEnd, findProblem, isStarted, lastWarning, type PodProblem } from './pod-state.ts';

/** What is true of a pod is asked for this often, though no watch said that it changed. */
const lookEveryMs = 5000;
const removalTimeoutMs = 30_000;

export interface Pods {
  cluster: Cluster;
  namespace: string;
}

/** Makes the pod, or finds the one of the same sandbox. Repeatable. @throws SandboxRefused, SandboxUnavailable */
export async function ensurePod(pods: Pods, wanted: V1Pod, signal?: AbortSignal): Promise<V1Pod> {
  const { cluster, namespace } = pods;
  const name = wanted.metadata?.name ?? '';
  for (;;) {
    try {
      return await ask(cluster, () => cluster.core.createNamespacedPod({ namespace, body: wanted }), signal);
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      if (error.status !== 409) throw notAdmitted(error);
    }
    const existing = await findPod(pods, name, signal);
    if (!existing) continue;
    if (idOf(existing) !== idOf(wanted)) throw new SandboxRefused(`the pod ${name} in ${namespace} is not Jig's`, { hint: 'Remove it, or give sandboxes a namespace of their own.' });
    if (!findEnd(existing)) return existing;
    // It can't be used any more, and its name is wanted.
    await removePod(pods, existing, signal);
  }
}

/** A refusal of the pod itself; the text is the cluster's own. */
function notAdmitted({ status, message }: ApiRefusal): SandboxUnavailable {
  // A quota comes free when other sandboxes end.
  const retryable = /exceeded quota/i.test(message);
  return new SandboxUnavailable('sandbox-not-admitted', `The cluster doesn't admit the sandbox (${status}): ${message}`, { retryable });
}

/** What the pod's annotation says, where the pod is Jig's at all. */
export function idOf({ metadata }: V1Pod): string | undefined {
  return Object.entries(managedBy).every(([label, value]) => metadata?.labels?.[label] === value) ? metadata?.annotations?.[annotations.id] : undefined;
}

export async function findPod({ cluster, namespace }: Pods, name: string, signal?: AbortSignal): Promise<V1Pod | undefined> {
  try {
    return await ask(cluster, () => cluster.core.readNamespacedPod({ namespace, name }), signal);
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 404) return undefined;
    throw error;
  }
}

export async function listPods({ cluster, namespace }: Pods): Promise<V1Pod[]> {
  const labelSelector = Object.entries(managedBy).map(([label, value]) => `${label}=${value}`).join(',');
  const { items } = await ask(cluster, () => cluster.core.listNamespacedPod({ namespace, labelSelector }));
  return items;
}

/** Removes this very pod and waits until it is gone; another one of the same name stays. Repeatable. */
export async function removePod(pods: Pods, { metadata }: V1Pod, signal?: AbortSignal): Promise<void> {
  const { cluster, namespace } = pods;
  const name = metadata?.name ?? '';
  const uid = metadata?.uid ?? '';
  try {
    await ask(cluster, () => cluster.core.deleteNamespacedPod({ namespace, name, body: { preconditions: { uid } } }), signal);
  } catch (error) {
    if (!(error instanceof ApiRefusal) || (error.status !== 404 && error.status !== 409)) throw error;
  }
  const isGone = (pod: V1Pod | undefined): boolean => pod?.metadata?.uid !== uid;
  // A node that doesn't answer keeps the pod's name for minutes; then nothing runs in it that could be waited for.
  await untilPod(pods, { name, holds: isGone, timeoutMs: removalTimeoutMs, signal });
}

export interface StartLimits {
  startTimeoutMs: number;
  pullTimeoutMs: number;
}

/** Waits until the pod's container runs. @throws SandboxUnavailable with the event's own text */
export async function untilStarted(pods: Pods, pod: V1Pod, { startTimeoutMs, pullTimeoutMs }: StartLimits, signal?: AbortSignal): Promise<V1Pod> {
  const { name = '', uid = '', resourceVersion } = pod.metadata ?? {};
  const startedAt = performance.now();
  const isOver = (seen: V1Pod | undefined): boolean => {
    if (seen?.metadata?.uid !== uid || isStarted(seen)) return true;
    const problem = findProblem(seen);
    return problem?.mends === 'never' || (problem?.mends === 'pull' && performance.now() - startedAt > pullTimeoutMs);
  };
  if (isStarted(pod)) return pod;
  const last = await untilPod(pods, { name, holds: isOver, timeoutMs: startTimeoutMs, signal, resourceVersion });
  if (last?.metadata?.uid !== uid) throw new SandboxUnavailable('sandbox-not-started', `The pod ${name} was removed before it started`, { retryable: true });
  if (isStarted(last)) return last;
  throw await describeProblem(pods, last, findProblem(last), startTimeoutMs);
}

async function describeProblem({ cluster, namespace }: Pods, { metadata, status }: V1Pod, problem: PodProblem | undefined, timeoutMs: number): Promise<SandboxUnavailable> {
  const events = await ask(cluster, () => cluster.core.listNamespacedEvent({ namespace, fieldSelector: `involvedObject.uid=${metadata?.uid ?? ''}` })).catch(() => undefined);
  const warning = lastWarning(events?.items ?? []);
  const said = [problem ? `${problem.reason}: ${problem.message}` : `it is ${status?.phase ?? 'unknown'} after ${Math.round(timeoutMs / 1000)} s`, ...(warning ? [`the cluster says ${warning}`] : [])];
  return new SandboxUnavailable(problem?.code ?? 'sandbox-not-started', `The pod ${metadata?.name ?? ''} did not start: ${said.join('; ')}`, { retryable: false });
}

interface Awaited {
  name: string;
  holds: (pod: V1Pod | undefined) => boolean;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Of the pod as it is known already. */
  resourceVersion?: string | undefined;
}

/**
 * The pod as it is when the condition holds, or when the time is up. A watch is the hint to look sooner; what is
 * concluded against a pod is concluded from the pod as it is read.
 */
async function untilPod(pods: Pods, { name, holds, timeoutMs, signal, resourceVersion }: Awaited): Promise<V1Pod | undefined> {
  const giveUpAt = performance.now() + timeoutMs;
  using hint = watchPod(pods, name, resourceVersion);
  let shown = resourceVersion === undefined ? undefined : await hint.next(lookEveryMs, signal);
  for (;;) {
    // Good news needs no second look: the first command in the pod is one.
    if (shown?.type !== 'DELETED' && shown && isStarted(shown.pod) && holds(shown.pod)) return shown.pod;
    if (!shown || shown.type === 'DELETED' || holds(shown.pod)) {
      const read = await findPod(pods, name, signal);
      if (holds(read) || performance.now() >= giveUpAt) return read;
    }
    shown = await hint.next(Math.min(lookEveryMs, Math.max(0, giveUpAt - performance.now())), signal);
  }
}

interface Shown {
  type: string;
  pod: V1Pod;
}

function watchPod({ cluster, namespace }: Pods, name: string, resourceVersion: string | undefined) {
  const closing = new AbortController();
  let seen: Shown | undefined;
  let wake = (): void => undefined;
  const watching = (async () => {
    const query = { fieldSelector: `metadata.name=${name}`, ...(resourceVersion !== undefined && { resourceVersion }) };
    const onEvent = (type: string, pod: V1Pod): void => {
      // An error's object is a status, such as 410 Gone: then the looks go on without it.
      if (type === 'ERROR') return;
      seen = { type, pod };
      wake();
    };
    // It ends by itself after a quiet while.
    const controller = await new Watch(cluster.kubeConfig).watch(`/api/v1/namespaces/${namespace}/pods`, query, onEvent, () => undefined);
    closing.signal.addEventListener('abort', () => controller.abort());
    if (closing.signal.aborted) controller.abort();
  })();
  watching.catch(() => undefined);
  return {
    /** What is shown next; undefined after the time. @throws the abort's reason */
    async next(timeoutMs: number, signal: AbortSignal | undefined): Promise<Shown | undefined> {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const done = new AbortController();
      const signals = signal ? [done.signal, signal] : [done.signal];
      if (!seen) await Promise.race([promise, wait(timeoutMs, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined)]);
      done.abort();
      signal?.throwIfAborted();
      const shown = seen;
      seen = undefined;
      return shown;
    },
    [Symbol.dispose]: () => closing.abort(),
  };
}
