/** The files by which a test cluster's programs are configured, and why each unusual line is there. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Certificate, Certificates } from './certificates.ts';

export const nodeName = 'jig-node';
export const containerdSocket = '/run/containerd/containerd.sock';
/** Its default would be made outside of what is removed. */
export const volumePluginDir = '/var/lib/kubelet/volume-plugins';
const bridge = 'cni0';
const podRange = '10.244.0.0/16';

/** A kubeconfig with everything inside, so that it can be copied. */
export async function kubeconfig(server: string, authority: Certificate, client: Certificate): Promise<string> {
  const data = async (path: string): Promise<string> => (await readFile(path)).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'jig-test', cluster: { server, 'certificate-authority-data': await data(authority.certificate) } },
    ],
    users: [
      {
        name: 'jig-test',
        user: { 'client-certificate-data': await data(client.certificate), 'client-key-data': await data(client.key) },
      },
    ],
    contexts: [{ name: 'jig-test', context: { cluster: 'jig-test', user: 'jig-test' } }],
    'current-context': 'jig-test',
  });
}

/** For containerd 1.6 and later 1.x. */
export function containerdConfiguration({ root, cniFolder }: { root: string; cniFolder: string }): string {
  return `version = 2
root = "${root}"
# The last of these would be made as a folder of this machine.
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]

[grpc]
address = "${containerdSocket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/pause:1"
# Without CAP_SYS_RESOURCE no process may be made less likely to be killed.
restrict_oom_score_adj = true
# Seconds; how soon a full disk is seen.
stats_collect_period = 1

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${cniFolder}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
`;
}

export async function ensureCniConfiguration(cniFolder: string): Promise<void> {
  await mkdir(cniFolder, { recursive: true });
  const plugins = [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipam: { type: 'host-local', subnet: podRange, routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  await writeFile(join(cniFolder, '10-jig.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: 'jig', plugins }));
}

export function kubeletConfiguration(options: {
  cgroupRoot: string;
  certificates: Certificates;
  maxOpenFiles: number;
}): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: options.certificates.authority.certificate },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    // Clusters beside each other have cgroups of their own.
    cgroupDriver: 'cgroupfs',
    cgroupRoot: options.cgroupRoot,
    enforceNodeAllocatable: [],
    podPidsLimit: 512,
    // What machines lack: cgroups of version 2, a swap that is off, CAP_SYS_RESOURCE.
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    maxOpenFiles: options.maxOpenFiles,
    volumePluginDir,
    makeIPTablesUtilChains: false,
    resolvConf: '',
    // Nobody is there: names are looked up in vain, as behind a network that denies.
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    // A pod over its own limits goes soon. This machine being nearly full is not the pods' matter.
    volumeStatsAggPeriod: '1s',
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '1%',
      'nodefs.inodesFree': '1%',
      'imagefs.available': '1%',
    },
    imageGCHighThresholdPercent: 100,
    // Secrets and config maps that change, pods that are deleted: soon.
    syncFrequency: '5s',
    nodeStatusUpdateFrequency: '5s',
  });
}

/**
 * The network's rules as an nftables script that may be loaded again. Pods reach this machine through the node. Denied
 * stands in for a NetworkPolicy that an enforcing network would carry out: nothing that a pod begins gets out of it, not
 * to the node, not to its neighbours; what answers a connection from outside does. Neighbours may learn each other's
 * hardware address, or pods would remember for a while that they have none.
 */
export function networkRules(options: { deny: boolean }): string {
  const policy = (chain: string): string => `
  chain ${chain} {
    type filter hook ${chain} priority 0
    iifname "${bridge}" ct direction reply ct state established,related accept
    iifname "${bridge}" drop
  }`;
  const neighbours = `
  chain forward {
    type filter hook forward priority 0
    ether type arp accept
    drop
  }`;
  return `
table inet jig
delete table inet jig
table inet jig {
  chain postrouting {
    type nat hook postrouting priority 100
    ip saddr ${podRange} oifname "outside" masquerade
  }${options.deny ? policy('forward') + policy('input') : ''}
}
table bridge jig
delete table bridge jig
table bridge jig {${options.deny ? neighbours : ''}
}
`;
}
