/** Removes a sandbox's folder: first kills everything that runs in it, then removes all files. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { findEnded, findSupervisor, isRunning, signalProcess, stopCommand } from './command-folder.ts';
import { followCommand } from './follow.ts';
import { isMissing } from './host-files.ts';
import { findOriginal, gonePrefix, listNames } from './layout.ts';

/** How long a supervisor may take to end its command before it is killed itself. */
const patienceMs = 10_000;

/** Removes the remains of destroyed sandboxes that match `isAsked`. Repeatable, also at the same time. */
export async function removeGone(rootDir: string, isAsked: (original: string) => boolean = () => true): Promise<void> {
  for (const name of (await listNames(rootDir)).filter((each) => each.startsWith(gonePrefix))) {
    const original = findOriginal(rootDir, name);
    if (original !== undefined && isAsked(original)) await removeFolder(join(rootDir, name), original);
  }
}

/**
 * Removes a folder. It must have been renamed from `original` before, so that nothing new is launched in it.
 * Repeatable.
 */
async function removeFolder(folder: string, original: string): Promise<void> {
  const commands = await readdir(join(folder, 'commands')).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  await Promise.all(commands.map(async (name) => await endCommand(join(folder, 'commands', name), original)));
  await removeTree(folder);
}

async function endCommand(folder: string, original: string): Promise<void> {
  if (await findEnded(folder)) return;
  await stopCommand(folder, 'cancelled');
  const supervisor = await findSupervisor(folder);
  if (supervisor && (await isRunning(supervisor))) {
    const patience = AbortSignal.timeout(patienceMs);
    await followCommand(folder, { signal: patience }).catch(() => signalProcess(supervisor.pid, 'SIGKILL'));
  }
  if (!(await findEnded(folder))) await endOrphan(folder, original);
}

/**
 * Ends a namespace whose supervisor was killed in its first moments. The namespace's first process is bubblewrap, with
 * the sandbox's folder among its words.
 */
async function endOrphan(folder: string, original: string): Promise<void> {
  const status = await readFile(join(folder, 'status'), 'utf8').catch(() => '');
  const first = /"child-pid": ([0-9]+)/.exec(status)?.[1];
  if (first === undefined) return;
  const words = await readFile(`/proc/${first}/cmdline`, 'utf8').catch(() => '');
  if (words.split('\0').includes(join(original, 'workspace'))) signalProcess(Number(first), 'SIGKILL');
}

/** Removes a tree with rm, which works by descriptors, so any depth and any name will do. */
export async function removeTree(folder: string): Promise<void> {
  const script = 'rm -rf -- "$1" 2>/dev/null || { chmod -R u+rwx -- "$1" 2>/dev/null; rm -rf -- "$1"; }';
  await execa('/bin/sh', ['-c', script, 'sh', folder]);
}
