/**
 * Describes a sandbox as a pod. It meets the Pod Security level `restricted` in full, and has nothing of the cluster
 * inside.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { V1Container, V1Pod, V1VolumeMount, V1Volume } from '@kubernetes/client-node';
import type { SandboxSpec } from '../sandbox/contract.ts';
import { SandboxRefused } from '../sandbox/errors.ts';
import { podPaths } from './pod-scripts.ts';
import type { KubernetesSettings } from './settings.ts';

/** The container in which commands run. */
export const containerName = 'sandbox';
/** The label of every pod that Jig makes. Policies and the sweeper select by it. */
export const managedBy = { 'app.kubernetes.io/managed-by': 'jig' };

export const annotations = {
  id: 'jig.dev/sandbox',
  owner: 'jig.dev/owner',
  /** ISO 8601. */
  leasedUntil: 'jig.dev/leased-until',
  /** A hash of the specification, so that a pod made from another specification isn't taken. */
  specHash: 'jig.dev/spec-hash',
  /** The environment of every command, as JSON. */
  env: 'jig.dev/env',
  /** The secret from which the names of commands' files are derived. It must not be visible in the pod. */
  nonce: 'jig.dev/nonce',
} as const;

/** Files are annotations too, named by number, because a path can't be an annotation's name. */
const fileAnnotation = (index: number): string => `blueprint.jig.dev/${index}`;
const scriptAnnotation = (file: string): string => `script.jig.dev/${file}`;
/** The disk for commands' outputs, on top of the blueprint's disk limit. */
const commandDiskBytes = 2 * 1024 ** 3;
/**
 * The most bytes of a blueprint's files together: what annotations may hold, without the scripts and the environment.
 */
const maxFileBytes = 192 * 1024;
const user = 1000;

/** The pod's name: a DNS label, readable, and unique by its hash. */
export function podName(id: string): string {
  const slug = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(-40)
    .replace(/^-+/, '');
  return `jig-${slug}-${createHash('sha256').update(id).digest('hex').slice(0, 12)}`;
}

/** The hash of a specification. It is the same in every version of Jig. */
function hashSpec({
  image = '',
  resources: { cpu, memoryBytes, diskBytes, processes },
  egress,
  env,
  blueprint = [],
}: SandboxSpec): string {
  const words = [
    image,
    cpu,
    memoryBytes,
    diskBytes,
    processes,
    egress,
    Object.entries(env)
      .map((pair) => pair.join('='))
      .toSorted(),
    ...blueprint,
  ];
  return createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 32);
}

export interface PodContent {
  nonce: string;
  /** Files at /opt/jig, by name. Nothing in the pod can change these scripts. */
  scripts: Record<string, string>;
}

/** The pod for a sandbox. */
export function podOf(spec: SandboxSpec, settings: KubernetesSettings, { nonce, scripts }: PodContent): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(spec.id),
      namespace: settings.namespace,
      labels: { ...managedBy, 'app.kubernetes.io/component': 'sandbox' },
      annotations: {
        [annotations.id]: spec.id,
        ...(spec.owner !== undefined && { [annotations.owner]: spec.owner }),
        [annotations.leasedUntil]: new Date(Date.now() + spec.leaseMs).toISOString(),
        [annotations.specHash]: hashSpec(spec),
        [annotations.env]: JSON.stringify(spec.env),
        [annotations.nonce]: nonce,
        ...Object.fromEntries(Object.entries(scripts).map(([file, text]) => [scriptAnnotation(file), text])),
        ...Object.fromEntries(fileTexts(spec).map((text, index) => [fileAnnotation(index), text])),
      },
    },
    spec: {
      restartPolicy: 'Never',
      // The last resort, if neither a run nor a sweeper removes the pod.
      activeDeadlineSeconds: Math.ceil(settings.podLifeMs / 1000),
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: user,
        fsGroup: user,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(settings.runtimeClassName !== undefined && { runtimeClassName: settings.runtimeClassName }),
      ...(Object.keys(settings.nodeSelector).length > 0 && { nodeSelector: settings.nodeSelector }),
      ...(settings.tolerations.length > 0 && { tolerations: settings.tolerations.map(withoutUndefined) }),
      ...(settings.imagePullSecrets.length > 0 && {
        imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })),
      }),
      containers: [containerOf(spec, settings, scripts)],
      volumes: volumes(spec, scripts).map(({ volume }) => volume),
    },
  };
}

function containerOf(spec: SandboxSpec, settings: KubernetesSettings, scripts: Record<string, string>): V1Container {
  const { cpu, memoryBytes, diskBytes } = spec.resources;
  const limits = { cpu, memory: memoryBytes, 'ephemeral-storage': diskBytes + commandDiskBytes };
  return {
    name: containerName,
    image: spec.image ?? settings.image,
    imagePullPolicy: settings.imagePullPolicy,
    command: ['sh', '/opt/jig/init.sh'],
    workingDir: '/work',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    resources: { limits: quantities(limits), requests: quantities(shareOf(limits, settings.requestShare)) },
    volumeMounts: volumes(spec, scripts).map(({ mount }) => mount),
  };
}

/** The volumes: the only places where a command can write, and the read-only scripts and blueprint files. */
function volumes(
  { resources: { diskBytes }, blueprint = [] }: SandboxSpec,
  scripts: Record<string, string>,
): { volume: V1Volume; mount: V1VolumeMount }[] {
  const empty = (name: string, mountPath: string, sizeLimit: number) => ({
    volume: { name, emptyDir: { sizeLimit: String(sizeLimit) } },
    mount: { name, mountPath },
  });
  const items = [
    { path: 'incarnation', fieldRef: { fieldPath: 'metadata.uid' } },
    ...Object.keys(scripts).map((file) => ({
      path: file,
      fieldRef: { fieldPath: `metadata.annotations['${scriptAnnotation(file)}']` },
    })),
  ];
  const files = blueprint.map(({ path, executable }, index) => ({
    path,
    mode: executable ? 0o555 : 0o444,
    fieldRef: { fieldPath: `metadata.annotations['${fileAnnotation(index)}']` },
  }));
  return [
    empty('work', '/work', diskBytes),
    empty('home', '/home/agent', diskBytes),
    empty('tmp', '/tmp', diskBytes),
    empty('commands', '/jig', commandDiskBytes),
    {
      volume: { name: 'jig', downwardAPI: { items, defaultMode: 0o444 } },
      mount: { name: 'jig', mountPath: '/opt/jig', readOnly: true },
    },
    {
      volume: { name: 'blueprint', ...(blueprint.length > 0 ? { downwardAPI: { items: files } } : { emptyDir: {} }) },
      mount: { name: 'blueprint', mountPath: podPaths.blueprint, readOnly: true },
    },
  ];
}

/**
 * The blueprint's files as texts. @throws SandboxRefused if they can't be annotations, which are text and share 256 KiB
 * with the scripts
 */
function fileTexts({ blueprint = [] }: SandboxSpec): string[] {
  const contents = blueprint.map(({ base64 }) => Buffer.from(base64, 'base64'));
  const binary = blueprint.find((_, index) => !isUtf8(contents[index] ?? new Uint8Array()));
  if (binary) throw refusedFiles(`${JSON.stringify(binary.path)} is not UTF-8 text`);
  const bytes = contents.reduce((sum, { length }) => sum + length, 0);
  if (bytes > maxFileBytes)
    throw refusedFiles(`its files have ${bytes} bytes together, but a pod takes at most ${maxFileBytes}`);
  return contents.map((content) => content.toString());
}

function refusedFiles(why: string): SandboxRefused {
  return new SandboxRefused(`the blueprint's folder doesn't fit into a pod: ${why}`, {
    hint: 'Put large and binary files into the sandbox’s image, and name the image in `sandbox.image`.',
  });
}

type Amounts = { cpu: number; memory: number; 'ephemeral-storage': number };

function shareOf(limits: Amounts, share: number): Amounts {
  return {
    cpu: limits.cpu * share,
    memory: Math.ceil(limits.memory * share),
    'ephemeral-storage': Math.ceil(limits['ephemeral-storage'] * share),
  };
}

function quantities({ cpu, ...bytes }: Amounts): Record<string, string> {
  return {
    cpu: `${Math.max(1, Math.round(cpu * 1000))}m`,
    ...Object.fromEntries(Object.entries(bytes).map(([name, value]) => [name, String(value)])),
  };
}

function withoutUndefined({ key, operator, value, effect }: KubernetesSettings['tolerations'][number]): {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
} {
  return {
    ...(key !== undefined && { key }),
    ...(operator !== undefined && { operator }),
    ...(value !== undefined && { value }),
    ...(effect !== undefined && { effect }),
  };
}
