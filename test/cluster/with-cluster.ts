/**
 * `with-cluster.ts [--current] COMMAND…`: runs a command with a cluster to test on, its own or the current kubeconfig's,
 * and ends as it did. Where there can be no cluster, says why and ends with 77.
 */
import { execa } from 'execa';
import { findObstacleToCurrent, recordCurrent } from './current-cluster.ts';
import { recordVariable } from './record.ts';
import { findObstacle } from './requirements.ts';
import { startCluster } from './start-cluster.ts';

const noCluster = 77;
const words = process.argv.slice(2);
const isCurrent = words[0] === '--current';
const [program = 'true', ...rest] = isCurrent ? words.slice(1) : words;

const obstacle = await (isCurrent ? findObstacleToCurrent() : findObstacle());
if (obstacle !== undefined) {
  console.log(`The tests on Kubernetes are skipped: ${obstacle}`);
  process.exit(noCluster);
}
if (isCurrent) console.log('Tests that switch the network or the API server off are skipped: this cluster is not ours');
const { recordPath, remove } = await (isCurrent ? recordCurrent() : startOwn());
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());
try {
  const { exitCode } = await execa(program, rest, {
    stdio: 'inherit',
    reject: false,
    env: { [recordVariable]: recordPath },
    cancelSignal: interrupted.signal,
  });
  process.exitCode = interrupted.signal.aborted ? 130 : (exitCode ?? 1);
} finally {
  await remove();
}

async function startOwn(): Promise<{ recordPath: string; remove(): Promise<void> }> {
  const { recordPath, stop, ended } = await startCluster((line) => console.log(line));
  void ended.then((lastWords) => lastWords && console.error(lastWords));
  return { recordPath, remove: stop };
}
