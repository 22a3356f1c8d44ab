/**
 * Runs a command in a pod exactly once, however often it is asked for and whatever the connection does. An exec
 * launches it under a lock, or finds it, and reads its output from where the last exec stopped.
 */
import { createReadStream } from 'node:fs';
import { createLimitByKey } from '../base/limits.ts';
import { CommandCancelled, type CommandResult, type CommandSpec, type RunOptions } from '../sandbox/contract.ts';
import { SandboxLost } from '../sandbox/errors.ts';
import { FrameError, FrameReader, type CommandEnd, type CommandFrame } from './command-frames.ts';
import { describeCommand, type CommandPlace, type CommandRequest } from './command-request.ts';
import { execInPod, type PodContainer } from './exec.ts';
import { ReceivedOutput } from './kept-output.ts';
import { retryExec, PodEnded, type Attempt, type PodWatch } from './retry-exec.ts';

export interface PodCommandTarget extends PodContainer, CommandPlace, PodWatch {
  /** The folder on the worker that keeps the output; each pod has its own. */
  outputDir: string;
}

/** How long a command may take after its own deadline, to be killed and to hand over its output. */
const graceMs = 300_000;
const stopTimeoutMs = 30_000;
const maxStopBytes = 65_536;
/** Allows for the headers of frames. */
const frameSlackBytes = 1 << 24;

/**
 * Limits how many execs start at the same time in one container, because some runtimes slow down: with more than about
 * twenty, containerd 1.6 takes a second for each, however fast the machine is.
 */
const limitStarts = createLimitByKey(8);

/**
 * Runs a command. Repeatable by `spec.key`, also at the same time and from other processes: all calls get the same
 * result. An abort by {@link CommandCancelled} kills the command; any other leaves it running.
 * @throws SandboxLost if the pod or the command's record is gone, SandboxUnavailable if the API server can't be reached
 * for long, SandboxRefused if it forbids the command, CommandTooLong; the abort's reason on a detach.
 */
export async function runInPod(
  target: PodCommandTarget,
  spec: CommandSpec,
  { onOutput, signal }: RunOptions = {},
): Promise<CommandResult> {
  const startedAtMs = Date.now();
  const request = await describeCommand(target, spec, onOutput !== undefined);
  const detach = new AbortController();
  const finished = new AbortController();
  const stop = async (until: AbortSignal): Promise<void> => await stopCommand(target, request, until);
  const onAbort = (): void => {
    if (!(signal?.reason instanceof CommandCancelled)) detach.abort(signal?.reason);
    // If it fails, the following fails too and gives the reason.
    else stop(finished.signal).catch(() => {});
  };
  if (signal?.aborted && signal.reason instanceof CommandCancelled) await stop(detach.signal);
  else if (signal?.aborted) throw signal.reason;
  else signal?.addEventListener('abort', onAbort, { signal: finished.signal });
  await using output = new ReceivedOutput(target.outputDir, request.name);
  try {
    const [end] = await Promise.all([
      followCommand({ target, spec, request, output, onOutput, signal: detach.signal }),
      output.prepare(),
    ]);
    return await resultOf(end, request, output);
  } catch (error) {
    if (!(error instanceof PodEnded)) throw error;
    return {
      ending: error.ending,
      exitCode: 137,
      startedAt: new Date(startedAtMs).toISOString(),
      durationMs: Date.now() - startedAtMs,
      ...(await output.keep({ stdout: 0, stderr: 0 })),
    };
  } finally {
    finished.abort();
  }
}

interface Following {
  target: PodCommandTarget;
  spec: CommandSpec;
  request: CommandRequest;
  output: ReceivedOutput;
  onOutput: RunOptions['onOutput'];
  signal: AbortSignal;
}

/** Launches the command or finds it, and receives its output until it has ended. */
async function followCommand(following: Following): Promise<CommandEnd> {
  const { target, spec, request, output, signal } = following;
  const giveUpAt = performance.now() + spec.timeoutMs + graceMs;
  return await retryExec(target, { giveUpAt, signal }, async (heard): Promise<Attempt<CommandEnd>> => {
    const frames = new FrameReader();
    const stdinWanted = Promise.withResolvers<void>();
    let end: CommandEnd | undefined;
    // The supervisor vouches for the end, so nothing more is waited for: the status of the exec is only that of the
    // reader.
    const ended = new AbortController();
    const started = Promise.withResolvers<void>();
    const onStdout = async (bytes: Uint8Array): Promise<void> => {
      started.resolve();
      heard();
      for (const frame of frames.read(bytes)) {
        if (end) throw new FrameError('something came after the end');
        if (frame.kind === 'end') end = frame.end;
        else if (frame.kind === 'stdin') stdinWanted.resolve();
        else if (frame.kind !== 'here') await takeFrame(frame, following);
      }
      if (end) ended.abort();
    };
    const stdin = inputOf(request, spec.stdin, stdinWanted.promise);
    const maxBytes = 2 * spec.outputCapBytes + frameSlackBytes;
    const exec = await limitStarts(target.incarnation, async () => {
      const outcome = execInPod(target, request.runWords(output.received), {
        stdin,
        onStdout,
        deadlineMs: giveUpAt - performance.now(),
        signal: AbortSignal.any([signal, ended.signal]),
        maxBytes,
      }).catch(throwLostOnBadFrame);
      await Promise.race([started.promise, outcome]);
      return { outcome };
    });
    const outcome = await exec.outcome;
    return end ? { done: end } : { failed: outcome };
  });
}

async function takeFrame(
  frame: Exclude<CommandFrame, { kind: 'here' | 'end' | 'stdin' }>,
  { spec, output, onOutput }: Following,
): Promise<void> {
  if (frame.kind === 'lost') throw new SandboxLost(`a command was launched in the pod, but ${frame.reason}`);
  if (frame.kind === 'other') throw new SandboxLost('another pod has its name');
  const { stream, bytes } = frame;
  if (output.received[stream] + bytes.length > spec.outputCapBytes)
    throw new FrameError('more output came than is kept');
  await output.add(stream, bytes);
  onOutput?.({ stream, bytes });
}

/** The standard input of the script: the seal, then the command's own input once the script asks for it. */
async function* inputOf(
  { seal, stdinBytes }: CommandRequest,
  stdin: CommandSpec['stdin'],
  wanted: Promise<void>,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${seal}\n`);
  if (stdin === undefined || stdinBytes === 0) return;
  await wanted;
  if (stdin instanceof Uint8Array) {
    yield stdin;
    return;
  }
  let sent = 0;
  for await (const bytes of createReadStream(stdin.path, { end: stdinBytes - 1 })) {
    sent += bytes.length;
    yield bytes;
  }
  if (sent < stdinBytes)
    throw new Error(`the file for a command's standard input became shorter while it was sent: ${stdin.path}`);
}

/** Checks and keeps the result. @throws SandboxLost if the command's supervisor didn't seal this result */
async function resultOf(end: CommandEnd, { seal }: CommandRequest, output: ReceivedOutput): Promise<CommandResult> {
  const { stdout, stderr } = output.received;
  const whole = stdout === end.stdout.keptBytes && stderr === end.stderr.keptBytes;
  if (!whole || !(await output.matches(`${seal} ${end.text}\n`, end.digest)))
    throw new SandboxLost("a command's result is not the one that its supervisor wrote");
  return {
    ending: end.ending,
    exitCode: end.exitCode,
    startedAt: new Date(end.startedMs).toISOString(),
    durationMs: end.durationMs,
    ...(await output.keep({ stdout: end.stdout.droppedBytes, stderr: end.stderr.droppedBytes })),
  };
}

/** Asks for the command's early end. If it hasn't started, it never will. */
async function stopCommand(target: PodCommandTarget, request: CommandRequest, signal: AbortSignal): Promise<void> {
  await retryExec(target, { giveUpAt: Infinity, signal }, async (heard): Promise<Attempt<void>> => {
    const outcome = await execInPod(target, request.stopWords, {
      onStdout: heard,
      deadlineMs: stopTimeoutMs,
      signal,
      maxBytes: maxStopBytes,
    });
    return outcome.kind === 'exited' && outcome.code === 0 ? { done: undefined } : { failed: outcome };
  });
}

function throwLostOnBadFrame(error: unknown): never {
  if (error instanceof FrameError)
    throw new SandboxLost(`a command's result couldn't be read: ${error.message}`, { cause: error });
  throw error;
}
