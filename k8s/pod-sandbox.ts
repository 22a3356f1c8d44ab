/** One pod as a sandbox: what is known about it, and commands in it. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Sandbox, SandboxRef } from '../sandbox/contract.ts';
import { SandboxUnavailable } from '../sandbox/errors.ts';
import type { PodState } from './retry-exec.ts';
import { runInPod, type PodCommandTarget } from './pod-command.ts';
import { annotations, containerName, podName } from './pod-spec.ts';
import { findEnd, isUnexplained } from './pod-state.ts';
import { findPod, type Pods } from './pods.ts';

/** What a command needs to know about its pod. It doesn't change while the pod lives. */
export interface KnownPod {
  ref: SandboxRef;
  nonce: string;
  env: Record<string, string>;
}

/** What commands need to know, from the pod's metadata. */
export function knownPod(provider: string, id: string, pod: V1Pod): KnownPod {
  const env = z.record(z.string(), z.string()).parse(JSON.parse(annotationOf(pod, annotations.env) || '{}'));
  return {
    ref: { provider, id, incarnation: pod.metadata?.uid ?? '' },
    nonce: annotationOf(pod, annotations.nonce),
    env,
  };
}

/** The annotation's text; empty if it is missing. */
export function annotationOf({ metadata }: V1Pod, name: string): string {
  return metadata?.annotations?.[name] ?? '';
}

/** The folder of this worker that keeps the output of a pod's commands. */
export const outputFolder = (outputDir: string, id: string): string => join(outputDir, podName(id));

export function podSandbox(
  pods: Pods,
  { ref, nonce, env }: KnownPod,
  { outputDir, unreachableTimeoutMs }: { outputDir: string; unreachableTimeoutMs: number },
): Sandbox {
  const { cluster, namespace } = pods;
  const target: PodCommandTarget = {
    // A renewed token comes with a new kubeconfig.
    get kubeConfig() {
      return cluster.kubeConfig;
    },
    namespace,
    nonce,
    env,
    unreachableTimeoutMs,
    pod: podName(ref.id),
    container: containerName,
    incarnation: ref.incarnation,
    outputDir: join(outputFolder(outputDir, ref.id), ref.incarnation),
    checkPod: () => checkPodStands(pods, ref),
  };
  return {
    ref,
    run: (spec, options) => runInPod(target, spec, options),
    // The pod reaches nothing, and nothing there records what it tried.
    listRefusals: async () => [],
  };
}

/** How often, and at which interval, an ended pod is read again until the cluster gives the reason. */
const maxLooks = 10;
const lookAgainMs = 500;

/** Checks what has happened to the pod while it was silent. */
async function checkPodStands(pods: Pods, { id, incarnation }: SandboxRef): Promise<PodState> {
  try {
    // The caller repeats the question, so this doesn't.
    const withoutRetries: Pods = { ...pods, cluster: { ...pods.cluster, unreachableTimeoutMs: 0 } };
    let pod = await findPod(withoutRetries, podName(id));
    for (let looks = 0; pod && isUnexplained(pod) && looks < maxLooks; looks += 1) {
      await wait(lookAgainMs);
      pod = await findPod(withoutRetries, podName(id));
    }
    if (!pod || pod.metadata?.uid !== incarnation)
      return { gone: pod ? 'another pod has its name' : 'its pod was removed' };
    const end = findEnd(pod);
    return end
      ? { gone: `its pod has ended: ${end.reason}: ${end.message}`, ...(end.ending && { ending: end.ending }) }
      : 'same';
  } catch (error) {
    if (error instanceof SandboxUnavailable) return 'unreachable';
    throw error;
  }
}
