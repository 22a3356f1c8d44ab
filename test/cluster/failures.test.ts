import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { connectCluster } from '../../k8s/api.ts';
import { podName, podOf } from '../../k8s/pod-spec.ts';
import { ensurePod } from '../../k8s/pods.ts';
import { KubernetesSettings } from '../../k8s/settings.ts';
import { SandboxLost, SandboxRefused, SandboxUnavailable } from '../../sandbox/errors.ts';
import { mebibyte, runShell, sandboxSpec, shell } from '../sandbox/fixtures.ts';
import { getCluster } from './cluster.ts';
import { createTestProvider, type TestProvider } from './provider.ts';

const { cannotSwitch } = await getCluster();
const small = { cpu: 1, memoryBytes: 128 * mebibyte, diskBytes: 64 * mebibyte, processes: 100 };
const spec = (id: string, changes: Parameters<typeof sandboxSpec>[1] = {}) =>
  sandboxSpec(id, { resources: small, ...changes });
const unavailable = (code: string, said: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SandboxUnavailable, String(error));
  assert.deepEqual([error.code, said.test(error.message)], [code, true], error.message);
  return true;
};

describe('a sandbox on a real cluster', () => {
  let world: TestProvider;
  beforeAll(async () => (world = await createTestProvider()));
  afterAll(async () => await world[Symbol.asyncDispose]());

  it('whose image does not exist fails in time, in the cluster’s words', async () => {
    await assert.rejects(
      world.another({ imagePullPolicy: 'Never' }).ensureSandbox(spec('no-image', { image: 'localhost/none:1' })),
      unavailable('sandbox-image-unavailable', /ErrImageNeverPull.*localhost\/none:1/s),
    );
    await assert.rejects(
      world.another({ pullTimeoutMs: 3000 }).ensureSandbox(spec('no-registry', { image: 'localhost:1/none:1' })),
      unavailable('sandbox-image-unavailable', /localhost:1\/none/),
    );
    await assert.rejects(
      world.provider.ensureSandbox(spec('no-name', { image: 'NONE::' })),
      unavailable('sandbox-image-unavailable', /InvalidImageName/),
    );
  });

  it('that no node has room for fails in time, in the scheduler’s words', async () => {
    await assert.rejects(
      world
        .another({ startTimeoutMs: 6000, requestShare: 1 })
        .ensureSandbox(spec('huge', { resources: { ...small, cpu: 500 } })),
      unavailable('sandbox-unschedulable', /Insufficient cpu/),
    );
    await world.provider.destroySandbox('huge');
  });

  it('that Pod Security refuses fails at once, in the cluster’s words', async () => {
    const settings = KubernetesSettings.parse({ namespace: world.namespace.name, image: world.cluster.image });
    const pod = podOf(spec('privileged'), settings, { nonce: '', scripts: {} });
    if (pod.spec) pod.spec.hostNetwork = true;
    const pods = { cluster: connectCluster(settings), namespace: settings.namespace };
    await assert.rejects(ensurePod(pods, pod), unavailable('sandbox-not-admitted', /violates PodSecurity "restricted/));
  });

  it('that a limit range refuses fails at once, in the cluster’s words', async () => {
    await using limited = await createTestProvider();
    await limited.cluster.apply({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'small', namespace: limited.namespace.name },
      spec: { limits: [{ type: 'Container', max: { memory: '32Mi' } }] },
    });
    await assert.rejects(
      limited.provider.ensureSandbox(spec('too-large')),
      unavailable('sandbox-not-admitted', /maximum memory usage per Container is 32Mi/),
    );
  });

  it('waits for a quota that is used up, and fails in the quota’s words if nothing is freed', async () => {
    await using limited = await createTestProvider();
    const { provider, cluster, namespace } = limited;
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'one', namespace: namespace.name },
      spec: { hard: { pods: '1' } },
    });
    await cluster.kubectl(
      'wait',
      '--namespace',
      namespace.name,
      '--for=jsonpath={.status.hard.pods}=1',
      'resourcequota/one',
      '--timeout=60s',
    );
    await provider.ensureSandbox(spec('first'));
    await assert.rejects(
      limited.another({ startTimeoutMs: 3000 }).ensureSandbox(spec('second')),
      unavailable('sandbox-not-admitted', /exceeded quota/),
    );
    const [second] = await Promise.all([provider.ensureSandbox(spec('second')), provider.destroySandbox('first')]);
    assert.equal((await runShell(second, 'hello', 'echo hello')).stdout, 'hello\n');
  });

  it('ends a command that uses too much memory, and says so', async () => {
    const sandbox = await world.provider.ensureSandbox(spec('memory'));
    const { result } = await runShell(sandbox, 'bomb', 'python3 -c "x = bytearray(1 << 30)"');
    assert.equal(result.ending, 'out-of-memory');
    assert.equal((await world.provider.listSandboxes()).filter(({ id }) => id === 'memory').length, 1);
    await world.provider.destroySandbox('memory');
  });

  it('ends a fork bomb, says so, and runs the next command', { skip: cannotSwitch !== undefined }, async () => {
    const sandbox = await world.provider.ensureSandbox(spec('forks'));
    const { result } = await runShell(sandbox, 'bomb', 'while :; do sleep 300 & done');
    assert.deepEqual([result.ending, result.exitCode === 0], ['too-many-processes', false]);
    assert.equal((await runShell(sandbox, 'after', 'echo fine')).stdout, 'fine\n');
    await world.provider.destroySandbox('forks');
  });

  it(
    'ends a command that fills the disk, and says so',
    { skip: cannotSwitch !== undefined, timeout: 120_000 },
    async () => {
      const sandbox = await world.provider.ensureSandbox(
        spec('disk', { resources: { ...small, diskBytes: 10 * mebibyte } }),
      );
      const full = shell('fill', 'head -c 40000000 /dev/zero >zeros; sleep 300', { timeoutMs: 100_000 });
      assert.equal((await sandbox.run(full)).ending, 'disk-full');
      // What comes after it finds no sandbox.
      await assert.rejects(
        world.another().getSandbox(sandbox.ref),
        (error) => error instanceof SandboxLost && /exceeds the limit/.test(error.message),
      );
      await world.provider.destroySandbox('disk');
    },
  );

  it('whose pod is deleted by hand is lost for its followers', async () => {
    const sandbox = await world.provider.ensureSandbox(spec('by-hand'));
    const events = new EventTarget();
    const begun = once(events, 'begun');
    const lost = assert.rejects(
      sandbox.run(shell('long', 'echo begun; sleep 300'), { onOutput: () => events.dispatchEvent(new Event('begun')) }),
      SandboxLost,
    );
    await begun;
    await world.cluster.kubectl(
      'delete',
      'pod',
      podName('by-hand'),
      '--namespace',
      world.namespace.name,
      '--wait=false',
    );
    await lost;
  });

  it('is refused if another program’s pod has its name, and that pod is left alone', async () => {
    const name = podName('taken');
    const foreign = {
      name: 'main',
      image: world.cluster.image,
      imagePullPolicy: 'IfNotPresent',
      command: ['sleep', '300'],
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    };
    const securityContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };
    await world.cluster.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: world.namespace.name },
      spec: { terminationGracePeriodSeconds: 0, securityContext, containers: [foreign] },
    });
    await assert.rejects(world.provider.ensureSandbox(spec('taken')), SandboxRefused);
    await world.provider.destroySandbox('taken');
    assert.equal(
      await world.cluster.kubectl(
        'get',
        'pod',
        name,
        '--namespace',
        world.namespace.name,
        '--output=jsonpath={.metadata.deletionTimestamp}',
      ),
      '',
    );
  });
});
