/** Pods and commands with the client library alone: created, watched, and run by exec. */
import { Writable } from 'node:stream';
import { CoreV1Api, Exec, Watch, type KubeConfig, type V1Pod, type V1Status } from '@kubernetes/client-node';

export function createBareClient(kubeConfig: KubeConfig, namespace: string) {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const podOf = async (uid: string): Promise<V1Pod> => {
    const { items } = await core.listNamespacedPod({ namespace });
    const found = items.find(({ metadata }) => metadata?.uid === uid);
    if (!found) throw new Error(`there is no pod ${uid}`);
    return found;
  };
  const exec = (pod: string, command: string[], onFirst?: () => void) =>
    execInPod(kubeConfig, namespace, pod, command, onFirst);

  return {
    exec,
    findName: async (uid: string): Promise<string> => (await podOf(uid)).metadata?.name ?? '',
    /** The description of another pod like this one. */
    async copyPod(uid: string): Promise<V1Pod> {
      const { metadata, spec } = await podOf(uid);
      const { nodeName: _node, ...wanted } = spec ?? { containers: [] };
      return {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...(metadata?.annotations && { annotations: metadata.annotations }) },
        spec: wanted,
      };
    },
    /** Milliseconds from no pod to the first byte of a command's output. */
    async coldPod(pod: V1Pod, name: string): Promise<number> {
      const startedAt = performance.now();
      const { spec = { containers: [] } } = pod;
      await core.createNamespacedPod({
        namespace,
        body: { apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations: pod.metadata?.annotations ?? {} }, spec },
      });
      await waitUntilReady(kubeConfig, namespace, name);
      let tookMs = Number.NaN;
      await exec(name, ['echo', 'hello'], () => (tookMs = performance.now() - startedAt));
      await core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 0 });
      return tookMs;
    },
  };
}

/**
 * Runs a command and resolves when it has succeeded. `onFirst` is called at each piece of its output. @throws if it
 * fails
 */
async function execInPod(
  kubeConfig: KubeConfig,
  namespace: string,
  pod: string,
  command: string[],
  onFirst?: () => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<V1Status>();
  const sink = () => new Writable({ write: (_chunk, _encoding, done) => (onFirst?.(), done()) });
  const exec = new Exec(kubeConfig);
  const socket = await exec.exec(namespace, pod, 'sandbox', command, sink(), sink(), null, false, resolve);
  socket.on('error', reject);
  const { status } = await promise;
  socket.close();
  if (status !== 'Success') throw new Error(`${command.join(' ')} ended as ${status}`);
}

async function waitUntilReady(kubeConfig: KubeConfig, namespace: string, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const watching = await new Watch(kubeConfig).watch(
    `/api/v1/namespaces/${namespace}/pods`,
    { fieldSelector: `metadata.name=${name}` },
    (_phase, pod: V1Pod) => {
      if (pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) resolve();
    },
    reject,
  );
  await promise;
  watching.abort();
}
