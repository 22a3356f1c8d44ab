import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import { execa } from 'execa';
import { ensureDemoRepository } from '../../demo/repository.ts';
import { chooseModel } from '../../model/choose-model.ts';
import { cacheDirOf, Config } from '../../worker/config.ts';
import { loadRecording } from '../../worker/recording.ts';
import { libraryDir, readLibrary } from '../e2e/fixtures.ts';
import { createWorld, type WrittenBlueprint } from '../e2e/harness.ts';
import { startCi } from '../real-forge/ci-program.ts';
import { createGiteaFixture } from '../real-forge/gitea-fixture.ts';
import { findMissingBuildTool } from '../real-forge/gitea-program.ts';
import { getCluster } from './cluster.ts';

const skip = (await findMissingBuildTool()) !== undefined;

/** Pods reach no package index, so the library's blueprint takes Python and pytest from the image; its steps stay. */
const setup = `
    - |
      python3 -m venv --system-site-packages --without-pip ~/.venv
      echo "$PWD/src" > "$(~/.venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/here.pth"
      printf '#!/bin/sh\\nexec ~/.venv/bin/python -m pytest "$@"\\n' > ~/.venv/bin/pytest && chmod +x ~/.venv/bin/pytest
`;

async function offlineBlueprint(): Promise<WrittenBlueprint> {
  const { text, files } = await readLibrary('python-utcnow');
  const changed = text
    .replace(/^ {2}image: .*\n {2}egress: .*\n/m, '')
    .replace(/(?<=^ {2}setup:)\n {4}- \|\n(?: {6}.*\n)+/m, setup);
  assert.ok(changed.includes('--system-site-packages') && !changed.includes('egress'));
  return { text: changed, files };
}

test(
  'on Kubernetes and Gitea, a blueprint leads to a pull request with evidence and a green CI, and no pod is left',
  { skip, timeout: 280_000 },
  async () => {
    const cluster = await getCluster();
    const namespace = await cluster.createNamespace();
    const gitea = await createGiteaFixture();
    const ci = await startCi(gitea.server.url, gitea.acme);
    process.env['KUBECONFIG'] = cluster.kubeconfigPath;
    const recording = await loadRecording(join(libraryDir, 'python-utcnow', 'cases', 'recording.json'));
    const config = {
      forges: { gitea: { kind: 'gitea', url: gitea.server.url } },
      sandbox: {
        provider: 'kubernetes',
        kubernetes: {
          namespace: namespace.name,
          image: cluster.image,
          imagePullPolicy: 'IfNotPresent',
          requestShare: 0.05,
        },
      },
      ci: { pollMs: 200, graceMs: 60_000 },
    };
    const world = await createWorld({
      env: { JIG_GITEA_TOKEN: gitea.token },
      model: chooseModel({ env: {}, config: Config.parse({}).model, recording }),
      config,
    });
    try {
      // A published package that nobody here wrote.
      const { path } = await ensureDemoRepository({ cacheDir: cacheDirOf(process.env) });
      await gitea.addRepository('acme/webob', { 'readme.txt': 'replaced\n' });
      await execa(
        'git',
        [
          'push',
          '--quiet',
          '--force',
          `${gitea.server.url.replace('://', `://acme:${gitea.acme.token}@`)}/acme/webob.git`,
          'HEAD:main',
        ],
        { cwd: path },
      );
      await ci.watch('acme/webob', ['sh', '-c', '! grep -rnE "utcnow\\(|utcfromtimestamp\\(" src']);

      const { end, state } = await world.run(await offlineBlueprint(), { forge: 'gitea', repository: 'acme/webob' });
      assert.equal(end.outcome, 'succeeded', `${end.reason}: ${JSON.stringify(state.steps)}`);
      const change = await gitea.forge.findChange('acme/webob', { number: state.change?.number ?? 0 });
      assert.equal(change?.state, 'open');
      assert.match(change.body, /### Evidence[\s\S]*238\d passed/);
      const checks = await gitea.forge.listChecks('acme/webob', change.headCommit);
      assert.deepEqual(
        checks.map(({ state: checkState }) => checkState),
        ['passed'],
      );
      assert.equal(await cluster.kubectl('get', 'pods', '--namespace', namespace.name, '--output', 'name'), '');
    } finally {
      await world[Symbol.asyncDispose]();
      await ci.stop();
      await gitea.close();
      await namespace.remove();
    }
  },
);
