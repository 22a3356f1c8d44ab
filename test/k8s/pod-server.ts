/** An API server that keeps pods: they change as a test says, and its watches speak, stay silent or break. */
import type { V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { randomUUID } from 'node:crypto';
import { EventEmitter, on } from 'node:events';
import type { Pods } from '../../k8s/pods.ts';
import {
  refusal,
  startRestServer,
  type Answer,
  type Asked,
  type RestServer,
  type RestServerOptions,
} from './rest-server.ts';

export interface PodServer extends RestServer {
  pods: Pods;
  /** A pod that is there. */
  find(name?: string): PlainPod | undefined;
  /** Makes a pod as somebody else would. */
  put(pod: PlainPod): V1Pod;
  change(status: Plain<V1PodStatus>, metadata?: NonNullable<PlainPod['metadata']>): void;
  remove(): void;
  /** How often it was asked for. */
  count(method: string, isWatch?: boolean): number;
}

export interface PodServerOptions extends RestServerOptions {
  watch?: 'speaks' | 'silent' | 'expired' | 'ends';
  /** Warnings of the cluster, in their order. */
  events?: { reason: string; message: string }[];
  /** Answers in place of the server; undefined: it answers itself. */
  instead?: (asked: Asked, server: PodServer) => Answer | undefined | Promise<Answer | undefined>;
  /** A deleted pod stays until it is removed. */
  lingers?: boolean;
}

/** The library's types are classes, of which none is ever made here. */
export type Plain<Class> = Pick<Class, keyof Class>;
type PlainPod = Plain<Omit<V1Pod, 'metadata' | 'status'>> & {
  metadata?: Plain<NonNullable<V1Pod['metadata']>>;
  status?: Plain<V1PodStatus>;
};

const namespace = 'jig';

export async function startPodServer(options: PodServerOptions = {}): Promise<PodServer> {
  const kept = new Map<string, PlainPod>();
  const changes = new EventEmitter().setMaxListeners(100);
  let version = 100;
  const keep = (pod: PlainPod): PlainPod => {
    pod.metadata = { ...pod.metadata, resourceVersion: String(++version) };
    kept.set(pod.metadata.name ?? '', pod);
    changes.emit('change', { type: 'MODIFIED', object: pod });
    return pod;
  };
  const drop = (pod: PlainPod): void => {
    kept.delete(pod.metadata?.name ?? '');
    changes.emit('change', { type: 'DELETED', object: pod });
  };
  const answers: Record<string, (asked: Asked, name: string) => Answer> = {
    POST({ body }) {
      const pod = structuredClone(body) as PlainPod;
      const name = pod.metadata?.name ?? '';
      if (kept.has(name)) return refusal(409, 'AlreadyExists', `pods "${name}" already exists`);
      pod.metadata = { ...pod.metadata, uid: randomUUID(), creationTimestamp: new Date() };
      pod.status ??= { phase: 'Pending' };
      return { status: 201, body: keep(pod) };
    },
    GET({ query, path }, name) {
      if (path.endsWith('/events'))
        return { status: 200, body: { kind: 'EventList', items: (options.events ?? []).map(eventOf) } };
      if (query.get('watch') === 'true')
        return { lines: watch(changes, options.watch ?? 'speaks', newerThan(query, kept)) };
      const pod = kept.get(name);
      return pod ? { status: 200, body: pod } : refusal(404, 'NotFound', `pods "${name}" not found`);
    },
    PATCH({ body, contentType }, name) {
      const pod = kept.get(name);
      if (contentType !== 'application/json-patch+json') return refusal(415, 'UnsupportedMediaType', contentType);
      if (!pod) return refusal(404, 'NotFound', `pods "${name}" not found`);
      const annotations = { ...pod.metadata?.annotations };
      for (const { op, path, value } of body as { op: string; path: string; value: string }[]) {
        const annotation = path.replace('/metadata/annotations/', '').replaceAll('~1', '/');
        if (op === 'add') annotations[annotation] = value;
        else if (annotations[annotation] !== value) return refusal(422, 'Invalid', 'testing path failed');
      }
      pod.metadata = { ...pod.metadata, annotations };
      return { status: 200, body: keep(pod) };
    },
    DELETE({ body }, name) {
      const pod = kept.get(name);
      if (!pod) return refusal(404, 'NotFound', `pods "${name}" not found`);
      const { preconditions } = body as { preconditions?: { uid?: string } };
      if (preconditions?.uid !== pod.metadata?.uid)
        return refusal(409, 'Conflict', 'the UID in the precondition does not match');
      pod.metadata = { ...pod.metadata, deletionTimestamp: new Date() };
      keep(pod);
      if (!options.lingers) setTimeout(() => drop(pod), 50);
      return { status: 200, body: pod };
    },
  };
  const rest = await startRestServer(async (asked) => {
    const instead = await options.instead?.(asked, server);
    return (
      instead ??
      answers[asked.method]?.(asked, asked.path.split('/').at(-1) ?? '') ??
      refusal(405, 'MethodNotAllowed', 'no')
    );
  }, options);
  const find = (name?: string): PlainPod | undefined => (name === undefined ? [...kept.values()][0] : kept.get(name));
  const server: PodServer = {
    ...rest,
    pods: { cluster: rest.cluster, namespace },
    find,
    put: (pod) => keep({ ...structuredClone(pod), metadata: { uid: randomUUID(), ...pod.metadata } }),
    change(status, metadata) {
      const pod = find();
      if (pod) keep({ ...pod, metadata: { ...pod.metadata, ...metadata }, status });
    },
    remove() {
      const pod = find();
      if (pod) drop(pod);
    },
    count: (method, isWatch = false) =>
      rest.asked.filter((asked) => asked.method === method && (asked.query.get('watch') === 'true') === isWatch).length,
  };
  return server;
}

/** What a watch begins with: how the pod is, where that is news. */
function newerThan(query: URLSearchParams, kept: Map<string, PlainPod>): PlainPod | undefined {
  const pod = kept.get(query.get('fieldSelector')?.split('=')[1] ?? '');
  return Number(pod?.metadata?.resourceVersion) > Number(query.get('resourceVersion') ?? 0) ? pod : undefined;
}

async function* watch(
  changes: EventEmitter,
  how: PodServerOptions['watch'],
  now: PlainPod | undefined,
): AsyncIterable<object> {
  if (how === 'expired')
    yield {
      type: 'ERROR',
      object: { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired', message: 'too old resource version' },
    };
  if (how === 'expired' || how === 'ends') return;
  if (how === 'speaks' && now) yield { type: 'ADDED', object: now };
  for await (const [change] of on(changes, 'change')) if (how === 'speaks') yield change as object;
}

function eventOf({ reason, message }: { reason: string; message: string }, index: number): object {
  return {
    type: 'Warning',
    reason,
    message,
    metadata: {},
    involvedObject: {},
    lastTimestamp: new Date(index * 1000).toISOString(),
  };
}
