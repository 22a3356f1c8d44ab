/**
 * `npm run bench`: measures what Jig costs compared with doing the same without it. `--json` prints JSON; names select
 * measurements.
 */
import { join } from 'node:path';
import { ensureInstalled, exitOnSetupFailure, findNode24, root, runInstead } from '../bin/install.mjs';

const node = await exitOnSetupFailure(async () => {
  await ensureInstalled();
  return findNode24();
});
const words = process.argv.slice(2);
const bench = [join(root, 'bench', 'main.ts'), ...words];
const needsCluster = words.includes('cluster') && !process.env.JIG_TEST_CLUSTER;
await runInstead(node, needsCluster ? [join(root, 'test', 'cluster', 'with-cluster.ts'), node, ...bench] : bench);
