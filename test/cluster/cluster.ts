/** The cluster that tests run on, as a test sees it. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { execa } from 'execa';
import { type ClusterRecord, type ClusterRequest, readRecord, recordVariable } from './record.ts';

export interface TestCluster {
  /** Its user may do everything. */
  kubeconfigPath: string;
  /** An image of the sandbox that the node has; pull it never. */
  image: string;
  /** Of this machine, as pods reach it where the network isn't denied; undefined: not known. */
  hostAddress: string | undefined;
  /** Why the network and the API server can't be switched here, for a test's `skip`; undefined: they can. */
  cannotSwitch: string | undefined;
  /** A new namespace that enforces the Pod Security level `restricted`. The caller removes it. */
  createNamespace(): Promise<TestNamespace>;
  /** Whether what a pod begins gets out of it: at first denied. Takes effect before it returns; also for connections that exist. */
  denyNetwork(deny: boolean): Promise<void>;
  /** Kills the API server; its port refuses from then on. Pods go on. Repeatable. */
  stopApiServer(): Promise<void>;
  /** Freezes the API server: it takes connections and says nothing. Repeatable. */
  silenceApiServer(): Promise<void>;
  /** Has it go on, on the same port with the same data, and waits until it is ready. Repeatable. */
  startApiServer(): Promise<void>;
  /** What `kubectl` prints, without the last line's end. @throws where it fails, with what it said */
  kubectl(...words: string[]): Promise<string>;
  /** `kubectl apply` of objects. @throws where it fails */
  apply(...objects: object[]): Promise<void>;
}

export interface TestNamespace {
  name: string;
  /** Begins its removal with everything in it. Repeatable. */
  remove(): Promise<void>;
}

const switchTimeoutMs = 180_000;

/** @throws where no cluster was started for this process */
export async function getCluster(): Promise<TestCluster> {
  const path = process.env[recordVariable];
  if (!path)
    throw new Error(
      `no cluster was started for this test: npm run test:cluster starts one, or name one that test/cluster/up.ts started in ${recordVariable}`,
    );
  return openCluster(path);
}

/** @param path of a cluster's record */
export async function openCluster(path: string): Promise<TestCluster> {
  const record = await readRecord(path);
  const cache = join(dirname(record.kubeconfig), 'cache');
  const kubectl = async (words: string[], input = ''): Promise<string> =>
    (await execa(record.kubectl, ['--kubeconfig', record.kubeconfig, '--cache-dir', cache, ...words], { input }))
      .stdout;
  const apply = async (...objects: object[]): Promise<void> =>
    void (await kubectl(
      ['apply', '--filename', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    ));
  return {
    kubeconfigPath: record.kubeconfig,
    image: record.image,
    hostAddress: record.hostAddress,
    cannotSwitch: record.control === undefined ? 'this cluster is not ours to switch off' : undefined,
    kubectl: (...words) => kubectl(words),
    apply,
    async createNamespace() {
      const name = `${record.namespacePrefix}${randomBytes(4).toString('hex')}`;
      await apply({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      });
      // The controller manager makes it in a moment, or when the API server's absence is over for it; without it there are no pods.
      await kubectl(['wait', '--namespace', name, '--for=create', 'serviceaccount/default', '--timeout=120s']);
      return {
        name,
        async remove() {
          await kubectl([
            'delete',
            'pods',
            '--namespace',
            name,
            '--all',
            '--ignore-not-found',
            '--force',
            '--wait=false',
          ]);
          await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
        },
      };
    },
    denyNetwork: (deny) => ask(record, { do: 'network', deny }),
    stopApiServer: () => ask(record, { do: 'stop-api-server' }),
    silenceApiServer: () => ask(record, { do: 'silence-api-server' }),
    startApiServer: () => ask(record, { do: 'start-api-server' }),
  };
}

async function ask({ control }: ClusterRecord, what: ClusterRequest): Promise<void> {
  if (control === undefined) throw new Error('this cluster can not be switched');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request({ socketPath: control, method: 'POST', timeout: switchTimeoutMs }, (response) => {
    text(response).then(
      (answer) =>
        response.statusCode === 200 ? resolve() : reject(new Error(`the cluster could not do ${what.do}: ${answer}`)),
      reject,
    );
  })
    .once('error', reject)
    .end(JSON.stringify(what));
  await promise;
}
