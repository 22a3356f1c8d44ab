/** Sandboxes as pods of a Kubernetes cluster. */
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import type {
  ListedSandbox,
  ReadySandbox,
  Sandbox,
  SandboxProvider,
  SandboxRef,
  SandboxSpec,
} from '../sandbox/contract.ts';
import { SandboxLost, SandboxRefused } from '../sandbox/errors.ts';
import { connectCluster } from './api.ts';
import { checkCluster, checkNetwork } from './host-check.ts';
import { annotationOf, knownPod, outputFolder, podSandbox, type KnownPod } from './pod-sandbox.ts';
import { podPaths, podScripts } from './pod-scripts.ts';
import { annotations, containerName, podName, podOf } from './pod-spec.ts';
import { findEnd, podStates } from './pod-state.ts';
import { ensurePod, findPod, idOf, listPods, removePod, renewPod, untilStarted, type Pods } from './pods.ts';
import { untilReady } from './readiness.ts';
import type { KubernetesSettings } from './settings.ts';

export interface KubernetesProviderOptions {
  settings: KubernetesSettings;
  /** The folder of this worker that keeps the output of commands until their sandbox is removed. */
  outputDir: string;
}

const provider = 'kubernetes';
/** How long a pod that was seen counts as existing. Each command checks again inside the pod. */
const knownForMs = 60_000;

/** Makes the provider. @throws JigError `config-invalid` if there is no usable kubeconfig */
export function createKubernetesProvider({ settings, outputDir }: KubernetesProviderOptions): SandboxProvider {
  const pods: Pods = { cluster: connectCluster(settings), namespace: settings.namespace };
  const { unreachableTimeoutMs } = settings;
  const known = createKnownPods();
  const sandboxOf = (pod: KnownPod): Sandbox => podSandbox(pods, pod, { outputDir, unreachableTimeoutMs });
  /** The proof that pods reach nothing, made once in the life of this process. */
  let proven: Promise<void> | undefined;
  const prove = (): Promise<void> =>
    (proven ??= proveNetwork(pods, settings).catch((error: unknown) => {
      proven = undefined;
      throw error;
    }));

  return {
    name: provider,
    capabilities: {
      isolation: 'pod',
      egress: false,
      limits: { memory: true, processes: true, disk: true },
      hostBound: false,
    },
    blueprintPath: podPaths.blueprint,
    checkHost: () => checkCluster(pods, settings),
    async ensureSandbox(spec, signal): Promise<ReadySandbox> {
      signal?.throwIfAborted();
      checkImage(spec, settings);
      await prove();
      const wanted = podOf(spec, settings, { nonce: randomBytes(16).toString('hex'), scripts: podScripts() });
      const started = await untilStarted(pods, await ensurePod(pods, wanted, signal, settings), settings, signal);
      const pod = known.note(knownPod(provider, spec.id, started));
      const { kubeConfig } = pods.cluster;
      await untilReady(
        { kubeConfig, namespace: pods.namespace, pod: podName(spec.id), container: containerName },
        pod.ref.incarnation,
        signal,
      );
      return { ...sandboxOf(pod), states: [...podStates(started), { state: 'ready', at: new Date().toISOString() }] };
    },
    getSandbox: async (ref) =>
      sandboxOf(known.find(ref) ?? known.note(knownPod(provider, ref.id, await getPod(pods, ref)))),
    async destroySandbox(id) {
      known.forget(id);
      const pod = await findPod(pods, podName(id));
      if (pod && idOf(pod) === id) await removePod(pods, pod);
      await rm(outputFolder(outputDir, id), { recursive: true, force: true });
    },
    renewSandbox: (id, leaseMs) => renewPod(pods, id, leaseMs),
    async listSandboxes() {
      // Another worker may share the folder. A folder that it adds from now on may be for a pod that is not in the
      // list.
      const folders = await readdir(outputDir).catch(() => []);
      const found = (await listPods(pods)).filter((pod) => idOf(pod) !== undefined);
      await pruneOutputs(outputDir, folders, [...found.map((pod) => idOf(pod) ?? ''), ...known.ids()]);
      return found.filter(({ metadata }) => !metadata?.deletionTimestamp).map(describe);
    },
  };
}

/** The pods that this process has seen: a hint that saves requests, never the truth. */
function createKnownPods() {
  const seen = new Map<string, { pod: KnownPod; atMs: number }>();
  return {
    note(pod: KnownPod): KnownPod {
      seen.set(pod.ref.id, { pod, atMs: performance.now() });
      return pod;
    },
    find({ id, incarnation }: SandboxRef): KnownPod | undefined {
      const hint = seen.get(id);
      return hint?.pod.ref.incarnation === incarnation && performance.now() - hint.atMs < knownForMs
        ? hint.pod
        : undefined;
    },
    forget: (id: string) => seen.delete(id),
    ids: () => seen.keys(),
  };
}

/** Finds the sandbox's pod. @throws SandboxLost if it is gone, has ended, or is another incarnation */
async function getPod(pods: Pods, { id, incarnation }: SandboxRef): Promise<V1Pod> {
  const pod = await findPod(pods, podName(id));
  if (!pod || pod.metadata?.uid !== incarnation)
    throw new SandboxLost(pod ? `another pod has the name of ${id}` : `the pod of ${id} is gone`);
  const end = findEnd(pod);
  if (end) throw new SandboxLost(`the pod of ${id} has ended: ${end.reason}: ${end.message}`);
  return pod;
}

/**
 * Proves that pods reach nothing. @throws SandboxRefused `sandbox-network-open` if they reach anything, or if it can't
 * be found out
 */
async function proveNetwork(pods: Pods, settings: KubernetesSettings): Promise<void> {
  const [issue] = await checkNetwork(pods, settings);
  if (issue) throw new SandboxRefused(issue.message, { code: 'sandbox-network-open', hint: issue.hint });
}

function checkImage({ image }: SandboxSpec, { allowedImages }: KubernetesSettings): void {
  if (image === undefined || allowedImages === undefined || allowedImages.some((each) => isImageOf(image, each)))
    return;
  throw new SandboxRefused(`the image ${JSON.stringify(image)} is not allowed by this installation`, {
    hint: `An image must be one of ${allowedImages.join(' or ')}, or in a folder of this name.`,
  });
}

/**
 * Whether the image is the allowed one, with any tag or digest if that names none, or is in it as a folder. Names are
 * compared by whole parts: `ghcr.io/acme` allows neither `ghcr.io/acme-evil/x`, nor `localhost` a registry on its ports.
 */
export function isImageOf(image: string, allowed: string): boolean {
  if (!image.startsWith(allowed)) return false;
  const rest = image.slice(allowed.length);
  return allowed.endsWith('/') || rest === '' || rest.startsWith('/') || /^[:@][^/]*$/.test(rest);
}

function describe(pod: V1Pod): ListedSandbox {
  const owner = annotationOf(pod, annotations.owner);
  const createdAt = new Date(pod.metadata?.creationTimestamp ?? 0).toISOString();
  return {
    id: idOf(pod) ?? '',
    createdAt,
    leasedUntil: annotationOf(pod, annotations.leasedUntil) || createdAt,
    ...(owner !== '' && { owner }),
  };
}

/** Removes the outputs of sandboxes that others removed. */
async function pruneOutputs(outputDir: string, folders: string[], ids: string[]): Promise<void> {
  const kept = new Set(ids.map((id) => basename(outputFolder(outputDir, id))));
  for (const name of folders) if (!kept.has(name)) await rm(join(outputDir, name), { recursive: true, force: true });
}
