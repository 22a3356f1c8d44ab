/** Checks whether the cluster keeps pods from the network, by a pod that tries. */
import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import type { SandboxSpec } from '../sandbox/contract.ts';
import { execInPod } from './exec.ts';
import { containerName, podName, podOf } from './pod-spec.ts';
import { podScripts } from './pod-scripts.ts';
import { ensurePod, removePod, untilStarted, type Pods } from './pods.ts';
import type { KubernetesSettings } from './settings.ts';

/** What the pod could reach, in words. Empty if nothing that was tried. */
export interface NetworkFinding {
  reached: string[];
  /** Why it could not be found out. If set, nothing is proven. */
  unknown?: string;
}

const probeTimeoutMs = 60_000;
const noTool = 9;

/** Programs that connect and print how that ended. A refusal also counts as reached, since something refused. */
const connectors = {
  python: `
import errno, socket, sys
unreached = (errno.ETIMEDOUT, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.EADDRNOTAVAIL)
try:
  socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
  print('reached')
except socket.timeout: print('nothing')
except OSError as error: print('nothing' if error.errno in unreached else 'reached')
`,
  perl: `
use Socket; use Errno;
my ($host, $port) = @ARGV;
my $isSix = $host =~ /:/;
$SIG{ALRM} = sub { print "nothing\\n"; exit };
alarm 3;
if (!socket(my $socket, $isSix ? AF_INET6 : AF_INET, SOCK_STREAM, 0)) { print "nothing\\n" }
elsif (connect($socket, $isSix ? pack_sockaddr_in6($port, Socket::inet_pton(AF_INET6, $host)) : sockaddr_in($port, inet_aton($host)))) { print "reached\\n" }
else { print $!{ETIMEDOUT} || $!{ENETUNREACH} || $!{EHOSTUNREACH} || $!{EACCES} || $!{EPERM} || $!{EADDRNOTAVAIL} ? "nothing\\n" : "reached\\n" }
`,
};

/**
 * Tries what every cluster has, and the internet, all at the same time. Arguments: the API server's address and port,
 * the node's address, the connectors. Standard output: a line for each place that answered, or for which the result is
 * unknown.
 */
const script = `
gateway() { while read -r _ destination gateway _; do [ "$destination" != 00000000 ] || echo "$gateway"; done </proc/net/route; }
hex=$(gateway)
router=
if [ \${#hex} = 8 ]; then router=$(printf '%d.%d.%d.%d' "0x\${hex#??????}" "0x$(printf %.2s "\${hex#????}")" "0x$(printf %.2s "\${hex#??}")" "0x$(printf %.2s "$hex")"); fi
dns=
while read -r word value _; do [ "$word" != nameserver ] || dns=$value; done </etc/resolv.conf
python=$4
perl=$5
if command -v python3 >/dev/null; then connect() { python3 -c "$python" "$@"; }
elif command -v perl >/dev/null; then connect() { perl -e "$perl" "$@"; }
else exit ${noTool}; fi
try() {
  case $(connect "$2" "$3" 2>/dev/null) in
    nothing) ;;
    reached) echo "$1 ($2:$3)" ;;
    *) echo "perhaps $1 ($2:$3), which could not be tried" ;;
  esac
}
[ -z "\${KUBERNETES_SERVICE_HOST:-}" ] || try 'the API server' "$KUBERNETES_SERVICE_HOST" "\${KUBERNETES_SERVICE_PORT:-443}" &
[ -z "$1" ] || try 'the API server' "$1" "$2" &
[ -z "$3" ] || try 'the kubelet of its node' "$3" 10250 &
[ -z "$router" ] || [ "$router" = "$3" ] || try 'the kubelet of its node' "$router" 10250 &
[ -z "$dns" ] || try 'the name server' "$dns" 53 &
try 'the cloud’s metadata' 169.254.169.254 80 &
try 'the internet' 1.1.1.1 443 &
wait
exit 0
`;

const probeLifeMs = 5 * 60_000;

/** Makes a pod, lets it try, and removes it. Repeatable. @throws SandboxUnavailable if no pod can be made */
export async function findReachable(
  pods: Pods,
  settings: KubernetesSettings,
  signal?: AbortSignal,
): Promise<NetworkFinding> {
  const spec: SandboxSpec = {
    id: `network-check-${randomUUID()}`,
    resources: { cpu: 0.2, memoryBytes: 128 * 1024 ** 2, diskBytes: 64 * 1024 ** 2, processes: 64 },
    egress: [],
    env: {},
    leaseMs: probeLifeMs,
  };
  const pod = await ensurePod(
    pods,
    podOf(spec, { ...settings, podLifeMs: probeLifeMs }, { nonce: '', scripts: podScripts() }),
    signal,
  );
  try {
    const { status } = await untilStarted(pods, pod, settings, signal);
    return await probe(pods, { name: podName(spec.id), node: status?.hostIP ?? '' }, signal);
  } finally {
    await removePod(pods, pod);
  }
}

async function probe(
  { cluster, namespace }: Pods,
  { name, node }: { name: string; node: string },
  signal?: AbortSignal,
): Promise<NetworkFinding> {
  const server = new URL(cluster.kubeConfig.getCurrentCluster()?.server ?? 'https://localhost');
  const target = { kubeConfig: cluster.kubeConfig, namespace, pod: name, container: containerName };
  // The pod may not be able to resolve names.
  const { address } = await lookup(server.hostname.replaceAll(/[[\]]/g, '')).catch(() => ({ address: '' }));
  let said = '';
  const outcome = await execInPod(
    target,
    ['sh', '-c', script, 'jig', address, server.port || '443', node, connectors.python, connectors.perl],
    {
      deadlineMs: probeTimeoutMs,
      maxBytes: 65_536,
      ...(signal && { signal }),
      onStdout: (bytes) => void (said += Buffer.from(bytes).toString()),
    },
  );
  signal?.throwIfAborted();
  const reached = said.split('\n').filter(Boolean);
  if (outcome.kind === 'exited' && outcome.code === 0) return { reached };
  if (outcome.kind === 'exited' && outcome.code === noTool)
    return { reached, unknown: 'the image has neither python3 nor perl, and the test needs one of them' };
  return {
    reached,
    unknown: outcome.kind === 'exited' ? `the probe ended with exit code ${outcome.code}` : outcome.reason,
  };
}
