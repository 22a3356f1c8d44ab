/** What tests on a cluster build on. */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { getCluster, type TestNamespace } from './cluster.ts';
import { startPod } from './pods.ts';

const cluster = await getCluster();
const idle = ['sleep', 'infinity'];

describe('a cluster for tests', () => {
  let namespace: TestNamespace;
  const pod = (name: string, command: string[] = idle, disk = '64Mi'): Promise<void> =>
    startPod(cluster, { namespace, name, command, disk });
  const exec = (name: string, ...command: string[]): Promise<string> =>
    cluster.kubectl('exec', '--namespace', namespace.name, name, '--', ...command);
  const read = (name: string, path: string): Promise<string> =>
    cluster.kubectl('get', 'pod', name, '--namespace', namespace.name, `--output=jsonpath={${path}}`);
  beforeAll(async () => {
    namespace = await cluster.createNamespace();
    await pod('idle');
  });
  afterAll(() => namespace.remove());

  it('reports the exact exit code of a command in a restricted pod', async () => {
    await assert.rejects(exec('idle', 'sh', '-c', 'exit 3'), { exitCode: 3 });
    assert.equal(await exec('idle', 'id', '--user', '--name'), 'agent');
  });

  it('has an image with everything that Jig runs in a sandbox', async () => {
    assert.match(
      await exec(
        'idle',
        'sh',
        '-c',
        'git --version && python3 -m pytest --version && perl -v && setsid --version && timeout --version',
      ),
      /git version.*pytest \d.*This is perl/s,
    );
  });

  it('refuses a pod that is not restricted', async () => {
    const spec = { containers: [{ name: 'main', image: cluster.image, securityContext: { privileged: true } }] };
    await assert.rejects(
      cluster.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'privileged', namespace: namespace.name },
        spec,
      }),
      /violates PodSecurity "restricted/,
    );
  });

  it('limits the processes of a pod', { skip: cluster.cannotSwitch !== undefined }, async () => {
    await pod('forking');
    const fork = `
import os, signal
children = []
try:
  while len(children) < 2000: children.append(os.fork() or signal.pause())
except OSError: print(len(children))
for child in children: os.kill(child, signal.SIGKILL)
`;
    const count = Number(await exec('forking', 'python3', '-c', fork));
    assert.ok(count > 300 && count < 512, `${count} processes`);
  });

  it('evicts a pod that fills its disk', { skip: cluster.cannotSwitch !== undefined }, async () => {
    await pod('full', ['sh', '-c', 'head -c 20000000 /dev/zero > zeros; sleep infinity'], '10Mi');
    await cluster.kubectl(
      'wait',
      '--namespace',
      namespace.name,
      '--for=jsonpath={.status.reason}=Evicted',
      'pod/full',
      '--timeout=60s',
    );
    assert.match(await read('full', '.status.message'), /exceeds the limit "10Mi"/);
  });
});
