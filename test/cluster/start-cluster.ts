/** A Kubernetes for tests, on this machine. */
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { isAlive } from '../../base/process-identity.ts';
import { ensureImages } from './images.ts';
import { ensureKubernetes } from './kubernetes-programs.ts';
import { MachineSpec } from './record.ts';

export interface StartedCluster {
  /** Path of its `ClusterRecord`. */
  recordPath: string;
  /** Ends everything and waits until nothing of it is left. Repeatable. */
  stop(): Promise<void>;
  /** Settles when the cluster has ended, whatever ended it, with what it said last. */
  ended: Promise<string>;
}

const machineScript = join(import.meta.dirname, 'machine.sh');
const machineProgram = join(import.meta.dirname, 'machine.ts');
/** Of folders and cgroups of clusters, before the id of the process that started them. */
const statePrefix = 'jig-cluster-';

/**
 * A running cluster; what it needs is built the first time and kept in the user's cache. It ends with this process, if
 * nobody stops it before. Several may run at once.
 * @throws where it can't become ready, with what its programs said
 */
export async function startCluster(onProgress: (line: string) => void): Promise<StartedCluster> {
  const spec = await ensureClusterParts(onProgress);
  await removeStale();
  onProgress('Starting a cluster');
  const state = await mkdtemp(join(tmpdir(), `${statePrefix}${process.pid}-`));
  await writeFile(join(state, 'machine.json'), JSON.stringify(spec));
  // Its standard input is what it lives by; a group of its own keeps the terminal's Ctrl-C from it.
  const machine = execa(machineScript, ['run', state, process.execPath, machineProgram], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    reject: false,
    detached: true,
    buffer: { stdout: false, stderr: true },
  });
  const ended = (async () => (await machine).stderr)();
  const stop = async (): Promise<void> => {
    machine.stdin.end();
    await ended;
  };
  if (!(await saysReady(machine.stdout))) throw new Error(`the cluster did not start: ${await ended}`);
  return { recordPath: join(state, 'cluster.json'), stop, ended };
}

/** Builds Kubernetes and its images the first time; found in the user's cache from then on. Repeatable. */
export async function ensureClusterParts(onProgress: (line: string) => void): Promise<MachineSpec> {
  const cacheDir = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'jig', 'kubernetes');
  const programs = await ensureKubernetes(cacheDir, onProgress);
  const { archives, image } = await ensureImages(cacheDir, onProgress);
  return { programs, imageArchives: archives, image };
}

async function saysReady(output: NodeJS.ReadableStream): Promise<boolean> {
  for await (const line of createInterface({ input: output })) if (line === 'ready') return true;
  return false;
}

/** Removes what is left where a machine itself was killed together with who started it. Repeatable. */
export async function removeStale(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${statePrefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await execa(machineScript, ['remove', join(tmpdir(), name)]);
  }
}
