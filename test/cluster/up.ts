/** `node test/cluster/up.ts [RECORD]`: a cluster to try things on by hand, until Ctrl-C. RECORD becomes a copy of its record. */
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { recordVariable } from './record.ts';
import { startCluster } from './start-cluster.ts';

const cluster = await startCluster((line) => console.error(line));
const [copy] = process.argv.slice(2);
if (copy !== undefined) {
  await mkdir(dirname(copy), { recursive: true });
  await copyFile(cluster.recordPath, copy);
}
console.log(`${recordVariable}=${copy ?? cluster.recordPath}`);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void cluster.stop());
const lastWords = await cluster.ended;
if (lastWords) console.error(lastWords);
if (copy !== undefined) await rm(copy, { force: true });
