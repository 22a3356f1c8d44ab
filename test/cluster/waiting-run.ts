/** A run on the cluster that stands in the middle of a command, with workers that can be killed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createInstallation, type Installation } from '../crash/installation.ts';
import { makeRepository } from '../e2e/repository.ts';
import { getCluster, type TestCluster, type TestNamespace } from './cluster.ts';

/** The command notes each time it is begun, and waits; the next step counts the notes. */
const blueprint = `
blueprint: v1
name: waiting
steps:
  - id: slow
    run: echo begun >>begun; echo begun; until test -e go-on; do sleep 0.05; done; echo ended
    timeout: 10m
  - id: count
    run: wc -l <begun | tr -d '\\n'
`;

interface Pod {
  name: string;
  uid: string;
}

export interface WaitingRun extends AsyncDisposable {
  cluster: TestCluster;
  namespace: TestNamespace;
  installation: Installation;
  runId: string;
  listPods(): Promise<Pod[]>;
  /** The sandbox in which the command has begun; another one than `except`. */
  whereBegun(except?: Pod): Promise<Pod>;
  letGoOn(pod: Pod): Promise<void>;
  deletePod(pod: Pod): Promise<void>;
  /** The run succeeded, its command was begun once in the sandbox in which it ended, and only `pods` are left. */
  checkEnd(pods?: string[]): Promise<void>;
}

export async function startWaitingRun(): Promise<WaitingRun> {
  await using undo = new AsyncDisposableStack();
  const cluster = await getCluster();
  const namespace = undo.adopt(await cluster.createNamespace(), ({ remove }) => remove());
  const config = {
    sandbox: {
      provider: 'kubernetes',
      kubernetes: {
        namespace: namespace.name,
        image: cluster.image,
        imagePullPolicy: 'IfNotPresent',
        requestShare: 0.05,
      },
    },
  };
  const installation = undo.use(
    await createInstallation({ script: 'v1', replies: [] }, { config, env: { KUBECONFIG: cluster.kubeconfigPath } }),
  );
  const source = await makeRepository(join(installation.dataDir, 'sources', 'api'), { 'a.txt': 'a\n' });
  await installation.forge.ensureRepository({ name: 'acme/api', source });
  const { runId } = await installation.client.start({
    blueprint: { name: 'waiting', text: blueprint, file: 'waiting.yaml' },
    repository: { forge: 'local', name: 'acme/api' },
    inputs: {},
    requester: 'tester',
  });

  const inNamespace = ['--namespace', namespace.name];
  const shell = (pod: Pod, script: string) =>
    cluster.kubectl('exec', ...inNamespace, pod.name, '--', 'sh', '-c', script);
  const listPods = async (): Promise<Pod[]> => {
    const text = await cluster.kubectl(
      'get',
      'pods',
      ...inNamespace,
      '--output',
      String.raw`jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{"\n"}{end}`,
    );
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => ({ name: line.split(' ')[0] ?? '', uid: line.split(' ')[1] ?? '' }));
  };
  const all = undo.move();
  return {
    cluster,
    namespace,
    installation,
    runId,
    listPods,
    async whereBegun(except) {
      let found: Pod | undefined;
      await until('the command has begun', 120_000, async () => {
        for (const pod of await listPods())
          if (pod.uid !== except?.uid && (await shell(pod, 'cat /work/begun').catch(() => '')).includes('begun'))
            found = pod;
        return found !== undefined;
      });
      assert.ok(found);
      return found;
    },
    letGoOn: async (pod) => void (await shell(pod, 'touch /work/go-on')),
    deletePod: async ({ name }) =>
      void (await cluster.kubectl('delete', 'pod', name, ...inNamespace, '--force', '--wait=false')),
    async checkEnd(pods = []) {
      assert.deepEqual(await installation.client.result(runId), { outcome: 'succeeded', reason: 'Every step is done' });
      const { steps } = await installation.client.describe(runId);
      assert.equal(steps.findLast(({ path }) => path === 'count')?.note, '1', JSON.stringify(steps));
      await until(
        `the pods are ${pods.join(' ') || 'gone'}`,
        60_000,
        async () => (await listPods()).map(({ name }) => name).join() === pods.join(),
      );
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Looks now and then; what is waited for is another process's doing. */
async function until(what: string, deadlineMs: number, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`Not within ${deadlineMs} ms: ${what}`);
    await wait(100);
  }
}
