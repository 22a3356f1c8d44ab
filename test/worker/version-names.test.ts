import assert from 'node:assert/strict';
import { test } from 'vitest';
import { isServed, describeWaitingRuns } from '../../client/versions.ts';
import { Config } from '../../worker/config.ts';
import { buildIdOf, chooseVersion } from '../../worker/versions.ts';

const bundle = { code: 'run();' };
const version = { deploymentName: 'jig', buildId: 'one' };

test('equal workflow code has the same version, wherever it was bundled', () => {
  const bundled = (map: string) => buildIdOf({ code: `run();\n//# sourceMappingURL=${map}` });
  assert.equal(bundled('here'), bundled('there'));
  assert.notEqual(bundled('here'), buildIdOf({ code: 'walk();' }));
  assert.match(bundled('here'), /^\d+\.\d+\.\d+\S*-[0-9a-f]{10}$/);
});

test('a controller that names the version also makes it current', () => {
  const config = Config.parse({ worker: { versions: { deployment: 'ours' } } });
  assert.deepEqual(chooseVersion(bundle, config, {}), {
    version: { deploymentName: 'ours', buildId: buildIdOf(bundle) },
    promote: 'auto',
  });
  const env = { TEMPORAL_DEPLOYMENT_NAME: 'jig/workers', TEMPORAL_WORKER_BUILD_ID: 'v7' };
  assert.deepEqual(chooseVersion(bundle, config, env), {
    version: { deploymentName: 'jig/workers', buildId: 'v7' },
    promote: 'manual',
  });
});

test('a version has workers if one of its own was seen in the last two minutes', () => {
  const seen = (agoMs: number, buildId = 'one') => ({
    current: undefined,
    workers: [{ version: { ...version, buildId }, seenAtMs: Date.now() - agoMs, isForOlderRuns: false }],
  });
  assert.equal(isServed(seen(60_000), version), true);
  assert.equal(isServed(seen(180_000), version), false);
  assert.equal(isServed(seen(0, 'two'), version), false);
});

test('the number of runs that wait for a version is written with the correct plural', () => {
  assert.match(describeWaitingRuns({ version, runs: 1 }).message, /^1 run waits for version one /);
  assert.match(describeWaitingRuns({ version, runs: 2 }).message, /^2 runs wait for version one /);
});
