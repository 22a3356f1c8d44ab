import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { KubeConfig } from '@kubernetes/client-node';
import { execa } from 'execa';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { createKubernetesProvider } from '../../k8s/provider.ts';
import { KubernetesSettings } from '../../k8s/settings.ts';
import type { SandboxProvider } from '../../sandbox/contract.ts';
import { mebibyte, runShell, sandboxSpec } from '../sandbox/fixtures.ts';
import { getCluster, type TestCluster } from './cluster.ts';

const root = join(import.meta.dirname, '../..');
const files = ['namespace.yaml', 'rbac.yaml', 'network-policy.yaml'];
const Rule = z.looseObject({ resources: z.array(z.string()), verbs: z.array(z.string()) });
const Role = z.looseObject({ kind: z.literal('Role'), rules: z.array(Rule) });
type Role = z.infer<typeof Role>;

describe('the files of k8s/deploy', () => {
  const namespace = `jig-test-deploy-${process.pid}`;
  let cluster: TestCluster;
  let folder: string;
  let role: Role;
  let provider: SandboxProvider;

  beforeAll(async () => {
    cluster = await getCluster();
    folder = await mkdtemp(join(tmpdir(), 'jig-deploy-'));
    const texts = await Promise.all(files.map((file) => readFile(join(root, 'k8s/deploy', file), 'utf8')));
    const objects = texts
      .flatMap((text) => parseAllDocuments(text.replaceAll('jig-sandboxes', namespace)))
      .map((document) => z.looseObject({ kind: z.string() }).parse(document.toJS()));
    // The namespace first, for the others are in it.
    for (const object of objects) await cluster.apply(object);
    role = Role.parse(objects.find(({ kind }) => kind === 'Role'));
    await cluster.kubectl('wait', '--namespace', namespace, '--for=create', 'serviceaccount/default', '--timeout=60s');
    const token = await cluster.kubectl('create', 'token', 'jig-worker', '--namespace', namespace);
    const settings = KubernetesSettings.parse({ namespace, image: cluster.image, requestShare: 0.05 });
    await writeFile(join(folder, 'kubeconfig'), kubeConfigOf(cluster, token).exportConfig());
    await writeFile(
      join(folder, 'jig.yaml'),
      JSON.stringify({ sandbox: { provider: 'kubernetes', kubernetes: settings } }),
    );
    process.env['KUBECONFIG'] = join(folder, 'kubeconfig');
    provider = createKubernetesProvider({ settings, outputDir: join(folder, 'pods') });
  });
  afterAll(async () => {
    await cluster.kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--wait=false');
    await rm(folder, { recursive: true, force: true });
  });

  const doctor = async () => {
    const { stdout, exitCode } = await execa(
      process.execPath,
      [join(root, 'cli/main.ts'), 'doctor', '--json', '--config', join(folder, 'jig.yaml')],
      { reject: false, env: { KUBECONFIG: join(folder, 'kubeconfig'), JIG_DATA_DIR: join(folder, 'data') } },
    );
    const { findings } = z
      .object({
        findings: z.array(
          z.looseObject({ what: z.string(), state: z.string(), message: z.string(), hint: z.string().optional() }),
        ),
      })
      .parse(JSON.parse(stdout));
    return { exitCode, sandboxes: findings.filter(({ what }) => what.startsWith('sandboxes')) };
  };

  it('let a worker with their service account make, use, renew, list and remove sandboxes', async () => {
    const spec = sandboxSpec('deployed', {
      resources: { cpu: 1, memoryBytes: 128 * mebibyte, diskBytes: 64 * mebibyte, processes: 100 },
    });
    const sandbox = await provider.ensureSandbox(spec);
    assert.equal((await runShell(sandbox, 'hello', 'echo hello')).stdout, 'hello\n');
    assert.deepEqual(
      (await provider.listSandboxes()).map(({ id }) => id),
      ['deployed'],
    );
    assert.equal(await provider.renewSandbox('deployed', 3_600_000), true);
    await provider.destroySandbox('deployed');
    assert.deepEqual(await provider.listSandboxes(), []);
  });

  it('satisfy the doctor, which tests from inside a pod', async () => {
    const { sandboxes } = await doctor();
    assert.deepEqual(
      sandboxes.map(({ state }) => state),
      ['ok'],
      JSON.stringify(sandboxes),
    );
  });

  it('grant only the verbs that are needed, and the doctor names each that is missing', async () => {
    for (const { resources, verbs } of role.rules) {
      for (const verb of verbs) {
        const rules = role.rules.map((rule) =>
          rule.resources === resources ? { ...rule, verbs: verbs.filter((each) => each !== verb) } : rule,
        );
        await cluster.apply({ ...role, rules: rules.filter((rule) => rule.verbs.length > 0) });
        await untilNamed(provider, `The worker may not ${verb} ${resources.join()} in the namespace ${namespace}`);
      }
    }
    const { exitCode, sandboxes } = await doctor();
    assert.deepEqual([exitCode, sandboxes[0]?.state], [1, 'missing']);
    assert.match(sandboxes[0]?.hint ?? '', /rbac\.yaml/);
    await cluster.apply(role);
  });
});

/** The authorizer hears of a changed role a moment later. */
async function untilNamed(provider: SandboxProvider, expected: string): Promise<void> {
  let messages: string[] = [];
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await wait(100)) {
    messages = (await provider.checkHost()).map(({ message }) => message);
    if (messages.length === 1 && messages[0] === expected) return;
  }
  assert.deepEqual(messages, [expected]);
}

function kubeConfigOf({ kubeconfigPath }: TestCluster, token: string): KubeConfig {
  const admin = new KubeConfig();
  admin.loadFromFile(kubeconfigPath);
  const server = admin.getCurrentCluster();
  assert.ok(server);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(server, { name: 'jig-worker', token });
  return config;
}
