/** Repeats an exec until it succeeds, as long as its pod stays the same and the API server may still answer. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandEnding } from '../sandbox/contract.ts';
import { CommandTooLong, SandboxLost, SandboxRefused, SandboxUnavailable } from '../sandbox/errors.ts';
import type { ExecOutcome } from './exec-outcome.ts';

export type PodState =
  /** The pod lives, and is the intended incarnation. */
  | 'same'
  | 'unreachable'
  /** Why the pod is gone or another one; `ending` is set if that is how its commands ended. */
  | { gone: string; ending?: Extract<CommandEnding, 'out-of-memory' | 'disk-full'> };

export interface PodWatch {
  /** Asked after each exec that failed. */
  checkPod: () => Promise<PodState>;
  /** How long the pod may be silent; five minutes if missing. */
  unreachableTimeoutMs?: number;
}

/** The pod ended in the way that counts as its command's ending. */
export class PodEnded extends Error {
  override name = 'PodEnded';
  readonly ending: CommandEnding;
  constructor(ending: CommandEnding) {
    super(`the pod ended: ${ending}`);
    this.ending = ending;
  }
}

export type Attempt<Value> = { done: Value } | { failed: ExecOutcome };

const defaultUnreachableTimeoutMs = 300_000;
const firstPauseMs = 100;
const maxPauseMs = 5000;
const maxRetryAfterMs = 30_000;

/**
 * Repeats `attempt` until it is done.
 * @param attempt calls `heard` when something came from the pod.
 * @throws SandboxLost, PodEnded, SandboxUnavailable, SandboxRefused, CommandTooLong; the reason of the signal.
 */
export async function retryExec<Value>(
  watch: PodWatch,
  { giveUpAt, signal }: { giveUpAt: number; signal: AbortSignal },
  attempt: (heard: () => void) => Promise<Attempt<Value>>,
): Promise<Value> {
  const { unreachableTimeoutMs = defaultUnreachableTimeoutMs } = watch;
  let heardAt = performance.now();
  let pauseMs = firstPauseMs;
  let connected = false;
  for (;;) {
    const tried = await attempt(() => {
      heardAt = performance.now();
      pauseMs = firstPauseMs;
    });
    if ('done' in tried) return tried.done;
    signal.throwIfAborted();
    const { failed } = tried;
    checkRefusal(failed);
    connected ||= failed.kind !== 'refused' && failed.kind !== 'unreachable';
    const state = await watch.checkPod();
    signal.throwIfAborted();
    if (typeof state === 'object')
      throw connected && state.ending ? new PodEnded(state.ending) : new SandboxLost(state.gone);
    const now = performance.now();
    if (now >= giveUpAt) throw new SandboxLost('a command didn’t end by its deadline, although its pod is running');
    if (now - heardAt >= unreachableTimeoutMs) throw unreachable(now - heardAt, failed);
    await pause(Math.max(pauseMs, askedPauseMs(failed)), signal);
    pauseMs = Math.min(pauseMs * 2, maxPauseMs);
  }
}

/** The error is retryable, since what runs in the pod goes on. */
function unreachable(forMs: number, last: ExecOutcome): SandboxUnavailable {
  return new SandboxUnavailable(
    'sandbox-unreachable',
    `the pod did not answer for ${Math.round(forMs / 1000)} s: ${reasonOf(last)}`,
    { retryable: true },
  );
}

/** @throws if trying again can't help. */
function checkRefusal(outcome: ExecOutcome): void {
  if (outcome.kind !== 'refused') return;
  if (outcome.status === 403)
    throw new SandboxRefused(`the API server doesn't allow commands in pods: ${outcome.reason}`, {
      hint: 'Grant `get` and `create` on `pods/exec` to the worker.',
    });
  if ([413, 414, 431].includes(outcome.status))
    throw new CommandTooLong(`the API server refused the command: ${outcome.reason}`);
}

function askedPauseMs(outcome: ExecOutcome): number {
  return outcome.kind === 'refused' ? Math.min(outcome.retryAfterMs ?? 0, maxRetryAfterMs) : 0;
}

function reasonOf(outcome: ExecOutcome): string {
  return 'reason' in outcome ? outcome.reason : `its script ended with ${outcome.code}`;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
