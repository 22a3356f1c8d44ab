import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import fc from 'fast-check';
import { annotations, podName, podOf } from '../../k8s/pod-spec.ts';
import { KubernetesSettings } from '../../k8s/settings.ts';
import { mebibyte, sandboxSpec } from '../sandbox/fixtures.ts';

const settings = (changes: Record<string, unknown> = {}): KubernetesSettings =>
  KubernetesSettings.parse({ namespace: 'jig', image: 'sandbox:1', ...changes });
const content = { nonce: 'the-nonce', scripts: { 'init.sh': 'sleep 1\n', 'run-command.sh': 'true\n' } };
const pod = (changes: Parameters<typeof sandboxSpec>[1] = {}, configured: Record<string, unknown> = {}) =>
  podOf(sandboxSpec('run/one', changes), settings(configured), content);
const container = (changes?: Parameters<typeof pod>[0], configured?: Record<string, unknown>) => {
  const [only, ...others] = pod(changes, configured).spec?.containers ?? [];
  assert.ok(only && others.length === 0);
  return only;
};

describe('the name of a pod', () => {
  it('is a DNS label, whatever the id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (id) =>
        /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(podName(id)),
      ),
    );
  });

  it('is different for similar ids', () => {
    const alike = ['a/b', 'a-b', 'A-b', 'a b', `${'x'.repeat(80)}1`, `${'x'.repeat(80)}2`, '', '/'];
    assert.equal(new Set(alike.map(podName)).size, alike.length);
    assert.match(podName('run/acme/api-gate'), /run-acme-api-gate/);
  });
});

describe('the pod of a sandbox', () => {
  it('has the Pod Security level `restricted`, and more', () => {
    const { spec } = pod();
    assert.deepEqual(
      [
        spec?.automountServiceAccountToken,
        spec?.enableServiceLinks,
        spec?.restartPolicy,
        spec?.hostUsers,
        spec?.hostNetwork,
      ],
      [false, false, 'Never', undefined, undefined],
    );
    assert.deepEqual(
      [spec?.securityContext?.runAsNonRoot, spec?.securityContext?.runAsUser, spec?.securityContext?.seccompProfile],
      [true, 1000, { type: 'RuntimeDefault' }],
    );
    assert.deepEqual(container().securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('can be written to only in volumes of limited size; its scripts and the blueprint’s folder are read-only', () => {
    const volumes = new Map(pod().spec?.volumes?.map((volume) => [volume.name, volume]));
    for (const mount of container().volumeMounts ?? []) {
      const volume = volumes.get(mount.name);
      assert.ok(
        mount.readOnly ? volume?.downwardAPI || volume?.emptyDir : Number(volume?.emptyDir?.sizeLimit) > 0,
        mount.name,
      );
    }
    assert.deepEqual(
      container()
        .volumeMounts?.map(({ mountPath }) => mountPath)
        .toSorted(),
      ['/blueprint', '/home/agent', '/jig', '/opt/jig', '/tmp', '/work'],
    );
    assert.deepEqual(
      container()
        .volumeMounts?.filter(({ readOnly }) => readOnly)
        .map(({ mountPath }) => mountPath),
      ['/opt/jig', '/blueprint'],
    );
  });

  const file = (path: string, bytes: string | Buffer, executable = false) => ({
    path,
    executable,
    base64: Buffer.from(bytes).toString('base64'),
  });

  it('has the blueprint’s files as annotations, each at its path and with its mode', () => {
    const { metadata, spec } = pod({ blueprint: [file('run.sh', 'å\r\n', true), file('a/b c.txt', '')] });
    const items = spec?.volumes?.find(({ name }) => name === 'blueprint')?.downwardAPI?.items ?? [];
    assert.deepEqual(
      items.map(({ path, mode, fieldRef }) => [
        path,
        mode,
        metadata?.annotations?.[/\['(.+)'\]/.exec(fieldRef?.fieldPath ?? '')?.[1] ?? ''],
      ]),
      [
        ['run.sh', 0o555, 'å\r\n'],
        ['a/b c.txt', 0o444, ''],
      ],
    );
  });

  it('has another hash with another blueprint, and always the same hash with a lone file', () => {
    const hash = (files: ReturnType<typeof file>[]) =>
      pod({ blueprint: files }).metadata?.annotations?.[annotations.specHash];
    assert.equal(hash([]), pod().metadata?.annotations?.[annotations.specHash]);
    const hashes = [[], [file('a', 'x')], [file('a', 'y')], [file('b', 'x')], [file('a', 'x', true)]].map(hash);
    assert.equal(new Set(hashes).size, 5);
  });

  it('refuses files that annotations can’t hold, and says what to do', () => {
    for (const [bytes, says] of [
      [Buffer.from([0xff]), /"tool" is not UTF-8 text/],
      ['x'.repeat(200_000), /its files have 200000 bytes/],
    ] as const)
      assert.throws(() => pod({ blueprint: [file('tool', bytes)] }), { message: says, hint: /the sandbox’s image/ });
  });

  it('hides the secret of the folders from its commands, and tells them which pod they are in', () => {
    const { metadata, spec } = pod();
    assert.equal(metadata?.annotations?.[annotations.nonce], 'the-nonce');
    const items = spec?.volumes?.flatMap(({ downwardAPI }) => downwardAPI?.items ?? []) ?? [];
    assert.deepEqual(items.map(({ path }) => path).toSorted(), ['incarnation', 'init.sh', 'run-command.sh']);
    assert.equal(items.find(({ path }) => path === 'incarnation')?.fieldRef?.fieldPath, 'metadata.uid');
    assert.ok(!JSON.stringify([items, spec?.containers]).includes('nonce'));
  });

  it('has the requested limits, and requests a share of them from the cluster', () => {
    const { limits, requests } =
      container(
        { resources: { cpu: 2, memoryBytes: 100 * mebibyte, diskBytes: 10 * mebibyte, processes: 5 } },
        { requestShare: 0.25 },
      ).resources ?? {};
    assert.deepEqual(
      [limits?.['cpu'], requests?.['cpu'], limits?.['memory'], requests?.['memory']],
      ['2000m', '500m', String(100 * mebibyte), String(25 * mebibyte)],
    );
    assert.ok(Number(limits?.['ephemeral-storage']) >= 10 * mebibyte);
  });

  it('ends after the life that the operator sets, whatever its lease', () => {
    assert.equal(pod({ leaseMs: 60_000 }, { podLifeMs: 3_600_000 }).spec?.activeDeadlineSeconds, 3600);
  });

  it('has the blueprint’s image, or the configured one', () => {
    assert.deepEqual([container({ image: 'mine:1' }).image, container().image], ['mine:1', 'sandbox:1']);
  });

  it('runs where and as the operator says', () => {
    const tolerations = [{ key: 'sandboxes', operator: 'Exists', effect: 'NoSchedule' }];
    const { spec } = pod(
      {},
      {
        runtimeClassName: 'gvisor',
        nodeSelector: { pool: 'sandboxes' },
        tolerations,
        imagePullSecrets: ['registry'],
        imagePullPolicy: 'Always',
      },
    );
    assert.deepEqual(
      [
        spec?.runtimeClassName,
        spec?.nodeSelector,
        spec?.tolerations,
        spec?.imagePullSecrets,
        spec?.containers[0]?.imagePullPolicy,
      ],
      ['gvisor', { pool: 'sandboxes' }, tolerations, [{ name: 'registry' }], 'Always'],
    );
  });
});
