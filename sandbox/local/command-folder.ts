/**
 * A command as a folder on the trusted side. `supervise.sh` writes it, and any process of this machine can read it and
 * control the command. Nothing is kept in memory, so a process that comes later knows just as much.
 */
import { spawn, type StdioOptions } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { checkWords } from '../command-environment.ts';
import { commandEndings, type CommandEnding, type CommandSpec } from '../contract.ts';
import { CommandTooLong, SandboxLost } from '../errors.ts';
import { hasCode, isMissing, startTicks } from './host-files.ts';
import { findUnbufferedLibrary } from './unbuffered.ts';

/** Commands have a lower priority than the worker itself. */
const niceness = 10;

const superviseScript = fileURLToPath(new URL('../supervise.sh', import.meta.url));

/** How a command is started. */
export interface Launch {
  /** The program and its arguments, as the machine starts them. */
  words: string[];
  tree: 'namespace' | 'group';
  /** Resource limits by the letter of ulimit: `{ n: 4096 }`. */
  limits: Record<string, number>;
  env: Record<string, string>;
}

/** The process that supervises a command. The pid is valid only while boot and start time match. */
const Supervisor = z.object({
  pid: z.coerce.number().int().positive(),
  startTicks: z.string().min(1),
  bootId: z.string().min(1),
});
export type Supervisor = z.infer<typeof Supervisor> & { startedAtMs: number };

const Ended = z.object({ ending: z.enum(commandEndings), exitCode: z.coerce.number().int().min(0).max(255) });
export type Ended = z.infer<typeof Ended> & { endedAtMs: number };

/** The folder of the command with this key. */
export function commandFolder(sandboxFolder: string, key: string): string {
  return join(sandboxFolder, 'commands', createHash('sha256').update(key).digest('hex').slice(0, 32));
}

/**
 * Starts the command's supervisor, detached. A second launch in the same folder ends at the first one's lock.
 * Repeatable. A command that was already cancelled is not started, and ends as cancelled.
 * @throws SandboxLost if the sandbox's folder is gone, CommandTooLong if the kernel would refuse its words.
 */
export async function launchCommand(
  folder: string,
  spec: CommandSpec,
  launch: Launch,
  cancelled = false,
): Promise<void> {
  checkWords(launch.words);
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (isMissing(error)) throw new SandboxLost(`the folder for the sandbox's commands is gone`, { cause: error });
    if (!hasCode(error, 'EEXIST')) throw error;
  });
  if (cancelled) await stopCommand(folder, 'cancelled');
  const stdin = await stdinFile(folder, spec.stdin);
  const settings = {
    JIG_TIMEOUT_S: String(spec.timeoutMs / 1000),
    JIG_CAP_BYTES: String(spec.outputCapBytes),
    JIG_STDIN: stdin,
    JIG_TREE: launch.tree,
    JIG_PRELOAD: await findUnbufferedLibrary(),
    JIG_LIMITS: Object.entries(launch.limits)
      .map(([letter, value]) => `${letter}=${value}`)
      .join(' '),
  };
  await startDetached(['/bin/sh', superviseScript, folder, ...launch.words], { ...launch.env, ...settings });
}

async function startDetached([program = '', ...words]: string[], env: Record<string, string>): Promise<void> {
  const nothing = openSync('/dev/null', 'r');
  let child;
  try {
    child = spawnOrRefuse(() => spawn(program, words, { detached: true, stdio: closingStdio(nothing), cwd: '/', env }));
  } finally {
    closeSync(nothing);
  }
  const spawned = new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  try {
    // Set immediately, so that its children inherit it.
    if (child.pid !== undefined) setPriority(child.pid, niceness);
  } catch (error) {
    // It has already ended at another launch's lock.
    if (!hasCode(error, 'ERR_SYSTEM_ERROR')) throw error;
  }
  await spawned;
  child.unref();
}

/**
 * Gives a child nothing to read or write. This includes descriptors that this process was born with: Node passes those
 * on, and an open folder is a way out of every namespace.
 */
function closingStdio(nothingFd: number): StdioOptions {
  bornWith ??= readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && isInherited(fd));
  const last = Math.max(2, ...bornWith);
  return Array.from({ length: last + 1 }, (_, fd) => (bornWith?.includes(fd) ? nothingFd : 'ignore'));
}

let bornWith: number[] | undefined;

/** Whether a child would inherit the descriptor. Those that Node opens are closed in children, as their flags say. */
function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false;
  }
}

/** O_CLOEXEC. */
const closeOnExec = 0o2000000;

/** Node throws synchronously if the kernel refuses the total size of the words. */
function spawnOrRefuse<Child>(start: () => Child): Child {
  try {
    return start();
  } catch (error) {
    if (hasCode(error, 'E2BIG'))
      throw new CommandTooLong('its words and environment together are longer than the kernel allows', {
        cause: error,
      });
    throw error;
  }
}

async function stdinFile(folder: string, stdin: CommandSpec['stdin']): Promise<string> {
  if (stdin === undefined) return '/dev/null';
  if (!(stdin instanceof Uint8Array)) return stdin.path;
  const path = join(folder, 'stdin');
  const fresh = `${path}.${randomUUID()}`;
  await writeFile(fresh, stdin, { mode: 0o600 });
  await rename(fresh, path);
  return path;
}

/** How the command ended; undefined while it runs. */
export async function findEnded(folder: string): Promise<Ended | undefined> {
  const file = await readWhole(join(folder, 'result'));
  if (!file?.text.endsWith('\n')) return undefined;
  const [ending, exitCode] = file.text.trim().split(' ');
  return { ...Ended.parse({ ending, exitCode }), endedAtMs: file.mtimeMs };
}

/** The command's supervisor; undefined before it has started. */
export async function findSupervisor(folder: string): Promise<Supervisor | undefined> {
  const file = await readWhole(join(folder, 'pid'));
  if (!file?.text.endsWith('\n')) return undefined;
  const [pid, startTicks, bootId] = file.text.trim().split(' ');
  return { ...Supervisor.parse({ pid, startTicks, bootId }), startedAtMs: file.mtimeMs };
}

/** Whether this very process still runs: not another with the same pid, nor one from before the machine restarted. */
export async function isRunning(supervisor: Supervisor): Promise<boolean> {
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return bootId.trim() === supervisor.bootId && (await startTicks(supervisor.pid)) === supervisor.startTicks;
}

/** Asks for an early end with this name. The first one asked for counts. Repeatable; needs no running supervisor. */
export async function stopCommand(folder: string, ending: CommandEnding): Promise<void> {
  await writeFile(join(folder, 'stop'), `${ending}\n`, { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST', 'ENOENT')) throw error;
  });
  const supervisor = await findSupervisor(folder);
  if (supervisor && (await isRunning(supervisor))) signalProcess(supervisor.pid, 'SIGTERM');
}

/** Sends a signal. Does nothing if the process is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

async function readWhole(path: string): Promise<{ text: string; mtimeMs: number } | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return { text, mtimeMs: (await stat(path)).mtimeMs };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
