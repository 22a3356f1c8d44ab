/** Wraps every activity: heartbeats, a signal, and failures with a type. It is installed once, as an interceptor. */
import { activityInfo, ApplicationFailure, cancellationDetails, Context, heartbeat } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { ZodError } from 'zod';
import { JigError, type ErrorCode } from '../base/errors.ts';
import { ModelFailure } from '../model/contract.ts';
import { CommandCancelled, type CommandResult } from '../sandbox/contract.ts';
import { SandboxLost } from '../sandbox/errors.ts';
import type { FailureDetails } from '../workflows/messages.ts';

/** Masks secrets before they reach Temporal, which stores failures in clear text. */
export type Redact = (text: string) => string;

/** The interceptor. `observe` gets each activity's name, outcome and duration in milliseconds. */
export class ActivityFrame implements ActivityInboundCallsInterceptor {
  readonly #redact: Redact;
  readonly #observe: (activity: string, outcome: string, tookMs: number) => void;
  constructor(redact: Redact, observe: (activity: string, outcome: string, tookMs: number) => void) {
    this.#redact = redact;
    this.#observe = observe;
  }

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const { heartbeatTimeoutMs = 30_000, activityType } = activityInfo();
    const startedAtMs = Date.now();
    let outcome = 'completed';
    const beat = setInterval(() => heartbeat(), Math.max(heartbeatTimeoutMs / 4, 50));
    try {
      return await next(input);
    } catch (error) {
      outcome = 'failed';
      const thrown = toFailure(error, this.#redact);
      // The error was not expected, so its stack is the only lead. The run gets only the message.
      if (thrown instanceof ApplicationFailure && thrown.type === 'internal-error')
        log().error('an activity failed unexpectedly', {
          stack: this.#redact(error instanceof Error ? (error.stack ?? error.message) : String(error)),
        });
      throw thrown;
    } finally {
      clearInterval(beat);
      this.#observe(activityType, outcome, Date.now() - startedAtMs);
    }
  }
}

/**
 * The signal that ends an activity's work. Its reason says how: if the run was cancelled, the command is killed. If the
 * worker shuts down, or the server no longer knows this try, the worker only lets go of the command, since another
 * worker may have taken it over.
 */
export function workSignal(): AbortSignal {
  // The listener runs outside the activity's own context, so the context is taken here.
  const context = Context.current();
  const controller = new AbortController();
  const pass = (): void => {
    controller.abort(
      context.cancellationDetails?.cancelRequested
        ? new CommandCancelled('the run was cancelled')
        : context.cancellationSignal.reason,
    );
  };
  if (context.cancellationSignal.aborted) pass();
  else context.cancellationSignal.addEventListener('abort', pass, { once: true });
  return controller.signal;
}

/**
 * Checks that a command came to its own end. @throws CommandCancelled if its run was cancelled; SandboxLost if something
 * else ended it, such as the removal of its sandbox
 */
export function checkOwnEnd({ ending }: Pick<CommandResult, 'ending'>, signal: AbortSignal | undefined): void {
  if (ending !== 'cancelled') return;
  if (signal?.aborted && signal.reason instanceof CommandCancelled) throw signal.reason;
  throw new SandboxLost('something outside the run ended a command in the sandbox');
}

export const log = (): Context['log'] => Context.current().log;

/** Turns every error into a failure with its code as type. A failure is retried only if another try may help. */
function toFailure(error: unknown, redact: Redact): Error {
  const text = redact(error instanceof Error ? error.message : String(error));
  if (error instanceof CommandCancelled) return new CancelledFailure(text);
  if (error instanceof CancelledFailure) {
    return cancellationDetails()?.cancelRequested
      ? error
      : failure('worker-shutdown', 'The worker stopped working on the activity', { retryable: true });
  }
  if (error instanceof JigError) {
    const isLast = activityInfo().attempt >= (triesOf[error.code] ?? Infinity);
    const { code, retryAfterMs } = error;
    const retryable = error.retryable && !isLast;
    return failure(code, text, { retryable, retryAfterMs }, detailsOf(error));
  }
  return failure('internal-error', text, { retryable: isWorthRetrying(error, activityInfo().attempt) });
}

/**
 * Tries of a question whose answers can't be read. A second try tells what happens once from what happens always, and
 * each one may be paid for.
 */
const triesOf: Partial<Record<ErrorCode, number>> = { 'model-nonsense': 2, 'model-cut-off': 4, 'model-timeout': 3 };

function detailsOf(error: JigError): [FailureDetails] {
  const usage = error instanceof ModelFailure ? error.usage : undefined;
  return [{ ...(usage && { usage }), ...(error.kept && { kept: error.kept }) }];
}

/** Codes of file operations that would fail the next time too. */
const permanentCodes = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EINVAL',
  'EXDEV',
]);
/** Tries of an activity if its error says nothing about the cause. */
const unexplainedTries = 3;

/**
 * Whether another try may help after an unexpected error. Data, code and permissions will be the same the next time.
 */
function isWorthRetrying(error: unknown, attempt: number): boolean {
  if (
    error instanceof ZodError ||
    error instanceof SyntaxError ||
    error instanceof RangeError ||
    error instanceof ReferenceError
  )
    return false;
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined);
  return code === undefined ? attempt < unexplainedTries : !permanentCodes.has(code);
}

/** The code of a system or network error, such as `ECONNRESET`. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function failure(
  code: ErrorCode,
  message: string,
  { retryable, retryAfterMs }: Pick<JigError, 'retryable'> & Partial<Pick<JigError, 'retryAfterMs'>>,
  details: unknown[] = [],
): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: code,
    nonRetryable: !retryable,
    details,
    ...(retryAfterMs !== undefined && { nextRetryDelay: retryAfterMs }),
  });
}
