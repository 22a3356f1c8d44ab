import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { ApiRefusal, ask, connectCluster, type Cluster } from '../../k8s/api.ts';
import { SandboxUnavailable } from '../../sandbox/errors.ts';
import { getFreePort } from '../../worker/free-port.ts';
import { clusterAt, refusal, startRestServer, type Answer } from './rest-server.ts';

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one', uid: 'u' } };
const fine: Answer = { status: 200, body: pod };
const readPod = async (cluster: Cluster, signal?: AbortSignal) =>
  (await ask(cluster, () => cluster.core.readNamespacedPod({ namespace: 'jig', name: 'one' }), signal)).metadata?.uid;
const unreachable = (error: unknown) =>
  error instanceof SandboxUnavailable && error.code === 'sandbox-unreachable' && error.retryable;

describe('a request to the API server', () => {
  for (const [name, first] of Object.entries({
    500: refusal(500, 'InternalError', 'failed calling webhook'),
    503: refusal(503, 'ServiceUnavailable', 'starting'),
    'a connection that ends': 'hang-up' as const,
  })) {
    it(`is sent again after ${name}`, async () => {
      await using server = await startRestServer((_, before) => (before < 2 ? first : fine));
      assert.equal(await readPod(server.cluster), 'u');
      assert.equal(server.asked.length, 3);
    });
  }

  it('is sent again after 429, not before the server allows it', async () => {
    await using server = await startRestServer((_, before) =>
      before === 0 ? refusal(429, 'TooManyRequests', 'slow down', { 'retry-after': '1' }) : fine,
    );
    const startedAt = performance.now();
    assert.equal(await readPod(server.cluster), 'u');
    assert.ok(performance.now() - startedAt >= 1000, 'it was asked too soon');
  });

  it('is sent again if the server accepts it and does not answer', async () => {
    await using server = await startRestServer((_, before) => (before === 0 ? 'silence' : fine), {
      requestTimeoutMs: 300,
    });
    assert.equal(await readPod(server.cluster), 'u');
  });

  it('is sent again while nobody listens', async () => {
    const port = await getFreePort();
    const asking = readPod(clusterAt(port));
    await assert.rejects(fetch(`http://127.0.0.1:${port}`));
    await using _server = await startRestServer(() => fine, { port });
    assert.equal(await asking, 'u');
  });

  it('uses a token that was renewed meanwhile', async () => {
    let token = 'old';
    await using server = await startRestServer(
      (asked) => {
        token = 'new';
        return asked.token === 'new' ? fine : refusal(401, 'Unauthorized', 'Unauthorized');
      },
      { token: () => token },
    );
    assert.equal(await readPod(server.cluster), 'u');
    assert.deepEqual(
      server.asked.map((asked) => asked.token),
      ['old', 'new'],
    );
  });

  it('fails with 401 if the credentials are still refused', async () => {
    await using server = await startRestServer(() => refusal(401, 'Unauthorized', 'Unauthorized'), {
      unreachableTimeoutMs: 500,
    });
    await assert.rejects(readPod(server.cluster), (error) => error instanceof ApiRefusal && error.status === 401);
  });

  for (const [status, reason] of [
    [403, 'Forbidden'],
    [404, 'NotFound'],
    [409, 'AlreadyExists'],
    [422, 'Invalid'],
  ] as const) {
    it(`fails at once with ${status}, in the server's words`, async () => {
      await using server = await startRestServer(() => refusal(status, reason, `no, ${reason}`));
      await assert.rejects(
        readPod(server.cluster),
        (error) =>
          error instanceof ApiRefusal &&
          error.status === status &&
          error.reason === reason &&
          error.message === `no, ${reason}`,
      );
      assert.equal(server.asked.length, 1);
    });
  }

  it('fails with a retryable error when its time is up', async () => {
    await using server = await startRestServer(() => refusal(503, 'ServiceUnavailable', 'etcd is away'), {
      unreachableTimeoutMs: 600,
    });
    await assert.rejects(readPod(server.cluster), (error) => unreachable(error) && /etcd is away/.test(String(error)));
  });

  it('does not wait if the server asks for more time than is left', async () => {
    await using server = await startRestServer(
      () => refusal(429, 'TooManyRequests', 'slow down', { 'retry-after': '30' }),
      { unreachableTimeoutMs: 1000 },
    );
    const startedAt = performance.now();
    await assert.rejects(readPod(server.cluster), unreachable);
    assert.ok(performance.now() - startedAt < 5000);
  });

  it('ends with the abort’s own reason, at once', async () => {
    const stop = new AbortController();
    const reason = new Error('the worker shuts down');
    await using silent = await startRestServer(() => {
      stop.abort(reason);
      return 'silence';
    });
    await assert.rejects(readPod(silent.cluster, stop.signal), (error) => error === reason);
    const later = new AbortController();
    await using away = await startRestServer(() => {
      setImmediate(() => later.abort(reason));
      return refusal(503, 'ServiceUnavailable', 'starting', { 'retry-after': '5' });
    });
    await assert.rejects(readPod(away.cluster, later.signal), (error) => error === reason);
  });

  it('uses an open connection', async () => {
    await using server = await startRestServer(() => fine);
    for (let count = 0; count < 5; count += 1) await readPod(server.cluster);
    assert.ok(server.connections() < 5, `${server.connections()} connections for five requests`);
  });
});

describe('the kubeconfig', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jig-kubeconfig-'));
  const file = join(folder, 'config');
  const before = process.env['KUBECONFIG'];
  afterAll(async () => {
    if (before === undefined) delete process.env['KUBECONFIG'];
    else process.env['KUBECONFIG'] = before;
    await rm(folder, { recursive: true });
  });
  const connect = (context?: string): Cluster => {
    process.env['KUBECONFIG'] = file;
    return connectCluster({ context, unreachableTimeoutMs: 1000 });
  };

  it('gives its current context, or the named one', async () => {
    const clusters = ['a', 'b'].map((name) => ({ name, cluster: { server: `https://${name}.example:6443` } }));
    const contexts = ['a', 'b'].map((name) => ({ name, context: { cluster: name, user: 'u' } }));
    await writeFile(
      file,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters,
        contexts,
        users: [{ name: 'u', user: {} }],
        'current-context': 'a',
      }),
    );
    assert.equal(connect().kubeConfig.getCurrentCluster()?.server, 'https://a.example:6443');
    assert.equal(connect('b').kubeConfig.getCurrentCluster()?.server, 'https://b.example:6443');
    assert.throws(() => connect('c'), { code: 'config-invalid', message: /no context "c"; it has a, b/ });
  });

  it('that is missing or invalid is reported as such', async () => {
    await rm(file, { force: true });
    assert.throws(() => connect(), { code: 'config-invalid', message: /can't be read/ });
    await writeFile(file, '{');
    assert.throws(() => connect(), { code: 'config-invalid' });
    await writeFile(file, '{}');
    assert.throws(() => connect(), { code: 'config-invalid' });
  });
});
