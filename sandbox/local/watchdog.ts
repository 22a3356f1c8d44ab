/**
 * Enforces a sandbox's total limits on a running command by polling: memory and number of all processes in its
 * namespace, and what it has written to the disk. The follower of a command runs it. While there is no follower, the
 * supervisor's deadline and the kernel's limits for each process apply, and the next follower goes on.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandEnding, SandboxResources } from '../contract.ts';
import { signalProcess, stopCommand } from './command-folder.ts';
import { isMissing } from './host-files.ts';

/** Processes can multiply fast, and counting them is cheap. Everything else is measured every fourth time. */
const lookMs = 25;
const looksPerMeasure = 4;
/** Threads are counted too, and limited to the number of processes times this. */
export const threadsPerProcess = 8;
/** A sandbox may use one inode for each so many bytes of its disk limit, and at least `minInodes`. */
const bytesPerInode = 4096;
const minInodes = 200_000;

export interface Watched {
  folder: string;
  commandFolder: string;
  resources: SandboxResources;
}

/**
 * Polls until aborted. If a command exceeds a limit, it kills the command's namespace and names that limit as the
 * ending.
 */
export async function watchLimits(watched: Watched, signal: AbortSignal): Promise<void> {
  let disk: ReturnType<typeof diskWatch> | undefined;
  let root: Namespace | undefined;
  for (let look = 1; !signal.aborted; look++) {
    await delay(lookMs, undefined, { signal }).catch(() => undefined);
    root ??= findNamespace(watched.commandFolder);
    try {
      disk ??= diskWatch(watched);
      const measuring = look % looksPerMeasure === 0;
      const passed =
        (root && passedByProcesses(root.procFolder, watched.resources, measuring)) ??
        (measuring ? await disk() : undefined);
      if (passed) {
        await stopCommand(watched.commandFolder, passed);
        // The supervisor knows the reason by now, and may be slow when thousands of processes compete for the
        // processor.
        if (root) signalProcess(root.first, 'SIGKILL');
        return;
      }
    } catch (error) {
      // The sandbox is being destroyed, which its follower reports.
      if (isMissing(error)) return;
      throw error;
    }
  }
}

interface Namespace {
  /** Its first process. */
  first: number;
  /** Its own /proc, seen through that process. */
  procFolder: string;
}

function findNamespace(commandFolder: string): Namespace | undefined {
  const pid = /"child-pid": ([0-9]+)/.exec(readOrEmpty(join(commandFolder, 'status')))?.[1];
  if (pid === undefined) return undefined;
  const procFolder = `/proc/${pid}/root/proc`;
  // Until bubblewrap has changed its root, this is the machine's own /proc, which has this process in it.
  return existsSync(join(procFolder, '1')) && readLinkOrEmpty(join(procFolder, 'self')) === ''
    ? { first: Number(pid), procFolder }
    : undefined;
}

function passedByProcesses(
  procFolder: string,
  resources: SandboxResources,
  measuring: boolean,
): CommandEnding | undefined {
  const pids = processesIn(procFolder);
  if (pids.length > resources.processes) return 'too-many-processes';
  if (!measuring) return undefined;
  let threads = 0;
  let memoryKb = 0;
  for (const pid of pids) {
    const status = readOrEmpty(`${procFolder}/${pid}/status`);
    threads += numberAfter(status, 'Threads:');
    memoryKb += numberAfter(status, 'RssAnon:') + numberAfter(status, 'RssShmem:');
  }
  if (threads > resources.processes * threadsPerProcess) return 'too-many-processes';
  // The quick sum counts shared pages many times, so the exact sum decides.
  if (memoryKb * 1024 > resources.memoryBytes && ownMemoryBytes(procFolder, pids) > resources.memoryBytes)
    return 'out-of-memory';
  return undefined;
}

function ownMemoryBytes(procFolder: string, pids: string[]): number {
  return pids
    .map((pid) => numberAfter(readOrEmpty(`${procFolder}/${pid}/smaps_rollup`), 'Pss:') * 1024)
    .reduce((sum, bytes) => sum + bytes, 0);
}

function processesIn(procFolder: string): string[] {
  try {
    return readdirSync(procFolder).filter((name) => /^[0-9]+$/.test(name));
  } catch {
    // The namespace is gone, or isn't ready yet.
    return [];
  }
}

function numberAfter(text: string, label: string): number {
  const at = text.indexOf(`\n${label}`);
  return at < 0 ? 0 : Number.parseInt(text.slice(at + label.length + 1), 10) || 0;
}

function readLinkOrEmpty(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** A process may end between two reads; then there is nothing to read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Measures exactly only if the file system's free space says that it could matter, and spends at most a tenth of the
 * time on it.
 */
function diskWatch({ folder, resources }: Watched): () => Promise<CommandEnding | undefined> {
  const before = statfsSync(folder);
  const maxInodes = Math.max(minInodes, Math.floor(resources.diskBytes / bytesPerInode));
  let known = { bytes: 0, inodes: 0 };
  let measured = false;
  let freeAtMeasure = before;
  let restUntilMs = 0;
  return async () => {
    const now = statfsSync(folder);
    const bytes = known.bytes + (freeAtMeasure.bavail - now.bavail) * now.bsize;
    const inodes = known.inodes + (freeAtMeasure.ffree - now.ffree);
    const suspicious =
      bytes > resources.diskBytes || inodes > maxInodes || (!measured && bytes > resources.diskBytes / 8);
    if (!suspicious || performance.now() < restUntilMs) return undefined;
    const startedMs = performance.now();
    known = await measure(folder);
    measured = true;
    freeAtMeasure = now;
    restUntilMs = performance.now() + 9 * (performance.now() - startedMs);
    return known.bytes > resources.diskBytes || known.inodes > maxInodes ? 'disk-full' : undefined;
  };
}

/**
 * Counts the blocks and inodes of what a sandbox can write. `du` works by descriptors and follows no links, so names
 * can't mislead it.
 */
async function measure(folder: string): Promise<{ bytes: number; inodes: number }> {
  const places = [join(folder, 'workspace'), join(folder, 'home')];
  const [blocks, inodes] = await Promise.all([total('-sk', places), total('-s', ['--inodes', ...places])]);
  return { bytes: blocks * 1024, inodes };
}

function total(option: string, words: string[]): Promise<number> {
  return new Promise((resolve) => {
    // Files may disappear while du runs, so its output counts, whatever its exit code.
    execFile('du', [option, ...words], (_error, stdout) => {
      resolve(
        stdout
          .split('\n')
          .map((line) => Number.parseInt(line, 10) || 0)
          .reduce((sum, part) => sum + part, 0),
      );
    });
  });
}
