/** What tests that switch a cluster's network or API server off build on. */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { getCluster, type TestNamespace } from '../cluster/cluster.ts';
import { startPod } from '../cluster/pods.ts';

const cluster = await getCluster();
const idle = ['sleep', 'infinity'];

describe('the network of a cluster for tests', { skip: cluster.cannotSwitch !== undefined }, () => {
  /** Connects and says so; with a third word goes on as long as it hears something at least every two seconds. */
  const talk = `
import socket, sys
try:
  connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
  print('connected', flush=True)
  while len(sys.argv) > 3 and connection.recv(100): pass
except OSError as error: print(error)
`;
  let namespace: TestNamespace;
  let neighbour: string;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    const chatter = setInterval(() => socket.write('word'), 100);
    socket.once('close', () => clearInterval(chatter));
  });
  const connect = (address: string, port: number, ...goOn: string[]): Promise<string> =>
    cluster.kubectl(
      'exec',
      '--namespace',
      namespace.name,
      'one',
      '--',
      'python3',
      '-c',
      talk,
      address,
      String(port),
      ...goOn,
    );
  const targets = async (): Promise<[string, number][]> => {
    const node = new URL(
      await cluster.kubectl('config', 'view', '--minify', '--output=jsonpath={.clusters[0].cluster.server}'),
    ).hostname;
    return [
      [cluster.hostAddress ?? '', (server.address() as { port: number }).port],
      [node, 6443],
      [node, 10_250],
      [neighbour, 8000],
    ];
  };

  beforeAll(async () => {
    namespace = await cluster.createNamespace();
    await startPod(cluster, { namespace, name: 'one', command: idle });
    await startPod(cluster, { namespace, name: 'two', command: ['python3', '-m', 'http.server', '8000'] });
    neighbour = await cluster.kubectl(
      'get',
      'pod',
      'two',
      '--namespace',
      namespace.name,
      '--output=jsonpath={.status.podIP}',
    );
    await once(server.listen(0, cluster.hostAddress), 'listening');
  });
  afterAll(async () => {
    await cluster.denyNetwork(true);
    server.close();
    for (const socket of sockets) socket.destroy();
    await namespace.remove();
  });

  it('lets a pod reach nothing while it is denied', async () => {
    await cluster.denyNetwork(true);
    assert.deepEqual(await Promise.all((await targets()).map((target) => connect(...target))), [
      'timed out',
      'timed out',
      'timed out',
      'timed out',
    ]);
  });

  it('lets a pod reach this machine, the node and other pods while it is allowed', async () => {
    await cluster.denyNetwork(false);
    assert.deepEqual(await Promise.all((await targets()).map((target) => connect(...target))), [
      'connected',
      'connected',
      'connected',
      'connected',
    ]);
  });

  it('cuts the connections of a pod when it is denied', async () => {
    await cluster.denyNetwork(false);
    const [[address, port] = ['', 0]] = await targets();
    const connected = once(server, 'connection');
    const said = connect(address, port, 'go on');
    await connected;
    await cluster.denyNetwork(true);
    assert.equal(await said, 'connected\ntimed out');
  });

  it('lets a pod answer while it is denied', async () => {
    await cluster.denyNetwork(true);
    assert.match(
      await cluster.kubectl('get', '--raw', `/api/v1/namespaces/${namespace.name}/pods/two:8000/proxy/`),
      /Directory listing/,
    );
  });
});

describe('the API server of a cluster for tests', { skip: cluster.cannotSwitch !== undefined }, () => {
  let namespace: TestNamespace;
  const read = (path: string): Promise<string> =>
    cluster.kubectl(
      'get',
      'pod',
      'counting',
      '--namespace',
      namespace.name,
      `--output=jsonpath={${path}}`,
      '--request-timeout=2s',
    );
  const lines = async (): Promise<number> =>
    (await cluster.kubectl('logs', '--namespace', namespace.name, 'counting')).length;
  beforeAll(async () => {
    namespace = await cluster.createNamespace();
    await startPod(cluster, { namespace, name: 'counting', command: ['sh', '-c', 'while sleep 0.1; do echo; done'] });
  });
  afterAll(async () => {
    await cluster.startApiServer();
    await namespace.remove();
  });

  it('refuses while it is stopped, and comes back with its data', async () => {
    const uid = await read('.metadata.uid');
    await cluster.stopApiServer();
    await assert.rejects(read('.metadata.uid'), /refused/);
    await cluster.startApiServer();
    assert.equal(await read('.metadata.uid'), uid);
  });

  it('does not answer while it is silenced', async () => {
    await cluster.silenceApiServer();
    await assert.rejects(read('.metadata.uid'), /timeout|deadline/i);
    await cluster.startApiServer();
    assert.equal(await read('.metadata.name'), 'counting');
  });

  it('is not needed by pods that run', async () => {
    const before = await lines();
    await cluster.stopApiServer();
    await delay(1000);
    await cluster.startApiServer();
    assert.ok((await lines()) > before + 10, 'it stood still');
    assert.equal(await read('.status.containerStatuses[0].restartCount'), '0');
  });
});
