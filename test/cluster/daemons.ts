/** The programs that are a Kubernetes of one node, and how they are started. */
import { join } from 'node:path';
import type { Certificate, Certificates, ClientName } from './certificates.ts';
import { nodeName, volumePluginDir } from './configuration.ts';

export interface Daemon {
  name: string;
  program: string;
  words: string[];
}

export interface DaemonOptions {
  /** The folder of Kubernetes' programs. */
  programs: string;
  /** Where configuration and data are. */
  state: string;
  /** The machine's address, which is the node's and the API server's. */
  address: string;
  certificates: Certificates;
}

export const apiServerPort = 6443;
const etcdUrl = 'http://127.0.0.1:2379';
const serviceRange = '10.96.0.0/16';

export function etcd({ state }: DaemonOptions): Daemon {
  const peer = 'http://127.0.0.1:2380';
  const words = [
    '--name=jig',
    `--data-dir=${join(state, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
  ];
  return {
    name: 'etcd',
    program: 'etcd',
    words: [
      ...words,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=jig=${peer}`,
    ],
  };
}

export function apiServer({ programs, address, certificates }: DaemonOptions): Daemon {
  const { authority, apiServer, apiServerClient, serviceAccounts } = certificates;
  return {
    name: 'kube-apiserver',
    program: join(programs, 'kube-apiserver'),
    words: [
      `--advertise-address=${address}`,
      '--bind-address=0.0.0.0',
      `--secure-port=${apiServerPort}`,
      `--etcd-servers=${etcdUrl}`,
      `--tls-cert-file=${apiServer.certificate}`,
      `--tls-private-key-file=${apiServer.key}`,
      `--client-ca-file=${authority.certificate}`,
      `--kubelet-client-certificate=${apiServerClient.certificate}`,
      `--kubelet-client-key=${apiServerClient.key}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${serviceAccounts.certificate}`,
      `--service-account-signing-key-file=${serviceAccounts.key}`,
      `--service-cluster-ip-range=${serviceRange}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      // What refuses privileged pods is Pod Security, as elsewhere.
      '--allow-privileged=true',
      '--endpoint-reconciler-type=none',
    ],
  };
}

export function controllerManager({ programs, state, certificates }: DaemonOptions): Daemon {
  const { authority, serviceAccounts } = certificates;
  return {
    name: 'kube-controller-manager',
    program: join(programs, 'kube-controller-manager'),
    words: [
      `--kubeconfig=${kubeconfigPath(state, 'controllerManager')}`,
      `--root-ca-file=${authority.certificate}`,
      `--service-account-private-key-file=${serviceAccounts.key}`,
      '--use-service-account-credentials=true',
      '--leader-elect=false',
      '--secure-port=0',
      `--flex-volume-plugin-dir=${volumePluginDir}`,
      ...signing(authority),
    ],
  };
}

function signing({ certificate, key }: Certificate): string[] {
  return [`--cluster-signing-cert-file=${certificate}`, `--cluster-signing-key-file=${key}`];
}

export function scheduler({ programs, state }: DaemonOptions): Daemon {
  return {
    name: 'kube-scheduler',
    program: join(programs, 'kube-scheduler'),
    words: [`--kubeconfig=${kubeconfigPath(state, 'scheduler')}`, '--leader-elect=false', '--secure-port=0'],
  };
}

export function containerd({ state }: DaemonOptions): Daemon {
  return { name: 'containerd', program: 'containerd', words: ['--config', join(state, 'containerd.toml')] };
}

export function kubelet({ programs, state, address }: DaemonOptions): Daemon {
  return {
    name: 'kubelet',
    program: join(programs, 'kubelet'),
    words: [
      `--config=${join(state, 'kubelet.yaml')}`,
      `--kubeconfig=${kubeconfigPath(state, 'kubelet')}`,
      `--hostname-override=${nodeName}`,
      `--root-dir=${join(state, 'kubelet')}`,
      // Without an address that isn't loopback, exec and logs find no way to the node.
      `--node-ip=${address}`,
      '--housekeeping-interval=1s',
    ],
  };
}

export function kubeconfigPath(state: string, client: ClientName): string {
  return join(state, `${client}.kubeconfig`);
}
