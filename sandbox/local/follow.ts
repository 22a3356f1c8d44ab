/** Follows a command's folder until the command ends. The folder is the truth; a file event is only a hint to look. */
import { watch, type FSWatcher } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandCancelled, type CapturedStream, type CommandResult, type RunOptions } from '../contract.ts';
import { SandboxLost } from '../errors.ts';
import { findEnded, findSupervisor, isRunning, stopCommand, type Ended, type Supervisor } from './command-folder.ts';
import { hasCode, isMissing } from './host-files.ts';

/** How often the folder is read even without an event. */
const pollMs = 250;
/** How long a launched command may take to show its supervisor before it counts as lost. */
const launchTimeoutMs = 10_000;

/**
 * Waits until every process of the command is dead. @returns the result
 * @throws SandboxLost if the folder is gone or its supervisor died without a result; the abort's reason on a detach.
 */
export async function followCommand(
  folder: string,
  options: RunOptions & { launchTimeoutMs?: number } = {},
): Promise<CommandResult> {
  const { signal } = options;
  using hint = watchFolder(folder, options.onOutput ? ['result', 'stdout', 'stderr'] : ['result']);
  const onAbort = () => hint.wake();
  signal?.addEventListener('abort', onAbort);
  const output = outputReader(folder, options.onOutput);
  const giveUpAt = performance.now() + (options.launchTimeoutMs ?? launchTimeoutMs);
  try {
    for (;;) {
      const ended = await findEnded(folder);
      await output.read();
      if (ended) return await resultOf(folder, ended);
      if (signal?.aborted) await stopOrDetach(folder, signal.reason);
      await checkSupervised(folder, giveUpAt);
      await hint.next();
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await output.close();
  }
}

async function stopOrDetach(folder: string, reason: unknown): Promise<void> {
  if (!(reason instanceof CommandCancelled)) throw reason;
  await stopCommand(folder, 'cancelled');
}

/** Checks that a result can still come. @throws SandboxLost if it can't */
async function checkSupervised(folder: string, giveUpAt: number): Promise<void> {
  const supervisor = await findSupervisor(folder);
  if (!supervisor) {
    if (performance.now() < giveUpAt && (await exists(folder))) return;
    throw new SandboxLost('a command was launched, but nothing supervises it');
  }
  if (await isRunning(supervisor)) return;
  // It may have ended between the two reads.
  if (await findEnded(folder)) return;
  throw new SandboxLost("a command's supervisor died before the command's end");
}

async function resultOf(folder: string, ended: Ended): Promise<CommandResult> {
  const supervisor: Supervisor | undefined = await findSupervisor(folder);
  if (!supervisor) throw new SandboxLost("a command's record is incomplete");
  const [stdout, stderr] = await Promise.all([readCaptured(folder, 'stdout'), readCaptured(folder, 'stderr')]);
  return {
    ending: ended.ending,
    exitCode: ended.exitCode,
    startedAt: new Date(supervisor.startedAtMs).toISOString(),
    durationMs: Math.max(0, Math.round(ended.endedAtMs - supervisor.startedAtMs)),
    stdout,
    stderr,
  };
}

async function readCaptured(folder: string, stream: 'stdout' | 'stderr'): Promise<CapturedStream> {
  const path = join(folder, stream);
  try {
    const { size } = await stat(path);
    const dropped = await readFile(`${path}.dropped`, 'utf8').catch(() => '0');
    return { path, keptBytes: size, droppedBytes: Number.parseInt(dropped, 10) || 0 };
  } catch (error) {
    throw new SandboxLost("a command's output is gone", { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

/** A wait that ends at the next change of one of the files, or after `pollMs`. */
function watchFolder(folder: string, files: string[]) {
  let changed = true;
  let wakeUp: (() => void) | undefined;
  const wake = () => {
    changed = true;
    wakeUp?.();
  };
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(folder, (_event, name) => {
      if (name === null || files.includes(name)) wake();
    }).on('error', wake);
  } catch (error) {
    // There are no watches left, or the folder is gone. The poll will find out.
    if (!hasCode(error, 'ENOENT', 'ENOSPC', 'EMFILE')) throw error;
  }
  const next = async () => {
    if (!changed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wakeUp = resolve;
      const timer = setTimeout(resolve, pollMs);
      await promise;
      clearTimeout(timer);
    }
    changed = false;
  };
  return { wake, next, [Symbol.dispose]: () => watcher?.close() };
}

/** Passes on what has come since the last read, in pieces, so that memory stays small. */
function outputReader(folder: string, onOutput: RunOptions['onOutput']) {
  const streams = (['stdout', 'stderr'] as const).map((stream) => ({
    stream,
    file: undefined as Awaited<ReturnType<typeof open>> | undefined,
  }));
  const read = async () => {
    if (!onOutput) return;
    for (const source of streams) {
      source.file ??= await open(join(folder, source.stream)).catch(() => undefined);
      for (;;) {
        const { bytesRead, buffer } = (await source.file?.read(Buffer.alloc(65_536), 0, 65_536)) ?? {
          bytesRead: 0,
          buffer: Buffer.alloc(0),
        };
        if (bytesRead === 0) break;
        onOutput({ stream: source.stream, bytes: buffer.subarray(0, bytesRead) });
      }
    }
  };
  const close = async () => {
    for (const { file } of streams) await file?.close();
  };
  return { read, close };
}
