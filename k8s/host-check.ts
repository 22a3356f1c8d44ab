/**
 * Asks the cluster itself what is missing before a first sandbox. It changes nothing, except that it makes one probe
 * pod.
 */
import { AuthorizationV1Api } from '@kubernetes/client-node';
import type { HostIssue, SandboxSpec } from '../sandbox/contract.ts';
import { SandboxRefused, SandboxUnavailable } from '../sandbox/errors.ts';
import { ApiRefusal, ask, messageOf } from './api.ts';
import { findReachable } from './network-check.ts';
import { podOf } from './pod-spec.ts';
import { podScripts } from './pod-scripts.ts';
import type { Pods } from './pods.ts';
import type { KubernetesSettings } from './settings.ts';

/** All of these are needed, and `k8s/deploy/rbac.yaml` grants no more. */
const permissions: { verb: string; resource: string; subresource?: string }[] = [
  ...['create', 'get', 'list', 'watch', 'patch', 'delete'].map((verb) => ({ verb, resource: 'pods' })),
  ...['get', 'create'].map((verb) => ({ verb, resource: 'pods', subresource: 'exec' })),
  { verb: 'list', resource: 'events' },
];

/** A person waits for `jig doctor`, so it must not take minutes. */
const patienceMs = 10_000;
const smallest: SandboxSpec = {
  id: 'doctor',
  resources: { cpu: 0.1, memoryBytes: 64 * 1024 ** 2, diskBytes: 64 * 1024 ** 2, processes: 64 },
  egress: [],
  env: {},
  leaseMs: 60_000,
};

/** Checks the cluster. A later check runs only if the earlier ones make it meaningful. Never throws. */
export async function checkCluster(pods: Pods, settings: KubernetesSettings): Promise<HostIssue[]> {
  const limited: Pods = {
    ...pods,
    cluster: { ...pods.cluster, unreachableTimeoutMs: Math.min(patienceMs, pods.cluster.unreachableTimeoutMs) },
  };
  try {
    const missing = await checkPermissions(limited);
    if (missing.length > 0) return missing;
    const refused = await checkAdmission(limited, settings);
    if (refused.length > 0) return refused;
    return await checkNetwork(limited, settings);
  } catch (error) {
    const code =
      error instanceof SandboxUnavailable || error instanceof SandboxRefused ? error.code : 'sandbox-refused';
    return [
      {
        code,
        message: messageOf(error),
        hint: 'Check the cluster with kubectl, with the same kubeconfig, context and namespace.',
      },
    ];
  }
}

async function checkPermissions({ cluster, namespace }: Pods): Promise<HostIssue[]> {
  const reviews = cluster.kubeConfig.makeApiClient(AuthorizationV1Api);
  const answers = await Promise.all(
    permissions.map(async (attributes) => {
      const review = await ask(cluster, () =>
        reviews.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes: { namespace, ...attributes } } } }),
      );
      return { attributes, allowed: review.status?.allowed === true };
    }),
  );
  return answers
    .filter(({ allowed }) => !allowed)
    .map(({ attributes: { verb, resource, subresource } }) => {
      const name = subresource === undefined ? resource : `${resource}/${subresource}`;
      return {
        code: 'sandbox-not-admitted',
        message: `The worker may not ${verb} ${name} in the namespace ${namespace}`,
        hint: 'Apply k8s/deploy/rbac.yaml, and run the worker as its service account.',
      };
    });
}

/** Asks the cluster whether it would admit such a pod, without making one. */
async function checkAdmission({ cluster, namespace }: Pods, settings: KubernetesSettings): Promise<HostIssue[]> {
  try {
    await ask(cluster, () =>
      cluster.core.createNamespacedPod({
        namespace,
        dryRun: 'All',
        body: podOf(smallest, settings, { nonce: '', scripts: podScripts() }),
      }),
    );
    return [];
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    const hint =
      error.status === 404
        ? 'Apply k8s/deploy/namespace.yaml, or name another namespace in sandbox.kubernetes.namespace.'
        : 'Change the rule that the message names, or the resources that sandboxes ask for.';
    return [
      {
        code: 'sandbox-not-admitted',
        message: `The cluster refuses a sandbox in ${namespace}: ${error.message}`,
        hint,
      },
    ];
  }
}

/** Checks that pods can't reach the network. Empty if that is proven, or if the operator took responsibility for it. */
export async function checkNetwork(
  pods: Pods,
  settings: KubernetesSettings,
  signal?: AbortSignal,
): Promise<HostIssue[]> {
  if (settings.network === 'open') return [];
  const { reached, unknown } = await findReachable(pods, settings, signal);
  if (reached.length > 0) {
    return [
      {
        code: 'sandbox-network-open',
        message: `Pods in ${pods.namespace} reach ${reached.join(', ')}`,
        hint: 'Apply k8s/deploy/network-policy.yaml, on a cluster whose network plug-in enforces policies. To run without this protection, set sandbox.kubernetes.network to open.',
      },
    ];
  }
  if (unknown === undefined) return [];
  return [
    {
      code: 'sandbox-network-open',
      message: `Jig could not find out whether pods in ${pods.namespace} reach the network: ${unknown}`,
      hint: 'Use an image with python3 or perl, or set sandbox.kubernetes.network to open.',
    },
  ];
}
