/** Whether the cluster keeps pods from the network: asked of a pod that tries. */
import { randomUUID } from 'node:crypto';
import type { SandboxSpec } from '../sandbox/contract.ts';
import { execInPod } from './exec.ts';
import { containerName, podName, podOf } from './pod-spec.ts';
import { podScripts } from './pod-scripts.ts';
import { ensurePod, removePod, untilStarted, type Pods } from './pods.ts';
import type { KubernetesSettings } from './settings.ts';

/** What a pod can reach, in words; empty: nothing that was tried. */
export interface NetworkFinding {
  reached: string[];
  /** Why it could not be found out; then nothing is proven. */
  unknown?: string;
}

const probeTimeoutMs = 60_000;
const noTool = 9;

/**
 * Tries to connect to what a cluster always has, and to the outside, with whatever the image brings. A refusal counts as
 * nothing reached: policies refuse in that way too. Standard output: a line for each place that answered.
 */
const script = `
gateway() { while read -r _ destination gateway _; do [ "$destination" != 00000000 ] || echo "$gateway"; done </proc/net/route; }
hex=$(gateway)
node=
if [ \${#hex} = 8 ]; then node=$(printf '%d.%d.%d.%d' "0x\${hex#??????}" "0x$(printf %.2s "\${hex#????}")" "0x$(printf %.2s "\${hex#??}")" "0x$(printf %.2s "$hex")"); fi
dns=
while read -r word value _; do [ "$word" != nameserver ] || dns=$value; done </etc/resolv.conf
try() {
  if command -v bash >/dev/null; then timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$2" "$3" 2>/dev/null
  elif command -v python3 >/dev/null; then timeout 3 python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)' "$2" "$3" 2>/dev/null
  elif command -v nc >/dev/null; then timeout 3 nc -w 2 "$2" "$3" </dev/null >/dev/null 2>&1
  else exit ${noTool}; fi && echo "$1 ($2:$3)"
}
command -v bash >/dev/null || command -v python3 >/dev/null || command -v nc >/dev/null || exit ${noTool}
[ -z "\${KUBERNETES_SERVICE_HOST:-}" ] || try 'the API server' "$KUBERNETES_SERVICE_HOST" "\${KUBERNETES_SERVICE_PORT:-443}" &
[ -z "$1" ] || try 'the API server' "$1" "$2" &
[ -z "$node" ] || try 'the kubelet of its node' "$node" 10250 &
[ -z "$dns" ] || try 'the name server' "$dns" 53 &
try 'the cloud’s metadata' 169.254.169.254 80 &
try 'the internet' 1.1.1.1 443 &
wait
exit 0
`;

/** Makes a pod, lets it try, removes it. Repeatable. @throws SandboxUnavailable where no pod can be had */
export async function findReachable(pods: Pods, settings: KubernetesSettings, signal?: AbortSignal): Promise<NetworkFinding> {
  const spec: SandboxSpec = {
    id: `network-check-${randomUUID()}`,
    resources: { cpu: 0.2, memoryBytes: 128 * 1024 ** 2, diskBytes: 64 * 1024 ** 2, processes: 64 },
    egress: [], env: {}, lifetimeMs: 5 * 60_000,
  };
  const pod = await ensurePod(pods, podOf(spec, settings, { nonce: '', scripts: podScripts() }), signal);
  try {
    await untilStarted(pods, pod, settings, signal);
    return await probe(pods, podName(spec.id), signal);
  } finally {
    await removePod(pods, pod);
  }
}

async function probe({ cluster, namespace }: Pods, pod: string, signal?: AbortSignal): Promise<NetworkFinding> {
  const server = new URL(cluster.kubeConfig.getCurrentCluster()?.server ?? 'https://localhost');
  const target = { kubeConfig: cluster.kubeConfig, namespace, pod, container: containerName };
  let said = '';
  const outcome = await execInPod(target, ['sh', '-c', script, 'jig', server.hostname, server.port || '443'], {
    deadlineMs: probeTimeoutMs, maxBytes: 65_536, ...(signal && { signal }),
    onStdout: (bytes) => void (said += Buffer.from(bytes).toString()),
  });
  signal?.throwIfAborted();
  const reached = said.split('\n').filter(Boolean);
  if (outcome.kind === 'exited' && outcome.code === 0) return { reached };
  if (outcome.kind === 'exited' && outcome.code === noTool) return { reached, unknown: 'the image has neither bash, python3 nor nc to try with' };
  return { reached, unknown: outcome.kind === 'exited' ? `the probe ended with exit code ${outcome.code}` : outcome.reason };
}
