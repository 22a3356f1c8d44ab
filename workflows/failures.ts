/** How a run or a step ends if it doesn't succeed. Every error that leaves workflow code passes here. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
} from '@temporalio/workflow';
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { Json } from '../base/json.ts';
import { isErrorCode, JigError, parseErrorCode, type ErrorCode } from '../base/errors.ts';
import type { Usage } from '../model/contract.ts';
import { FailureDetails, type RunEnd } from './messages.ts';

/** What a step that failed leaves. */
interface Left {
  /** What expressions can read if the run goes on. */
  outputs?: Record<string, Json>;
  cut?: string[];
  /** What the step paid a model before it failed. */
  usage?: Usage;
}

/** A step failed. */
export class StepFailed extends JigError {
  override name = 'StepFailed';
  readonly left: Left;
  constructor(code: ErrorCode, message: string, left: Left = {}) {
    super(code, message);
    this.left = left;
  }
}

/** A step's failure, with the path of the innermost step that failed. */
export class FailedAt extends StepFailed {
  readonly path: string;
  constructor(path: string, code: ErrorCode, message: string) {
    super(code, message);
    this.path = path;
  }
}

/** The run ended because of an `end` step, a person or a limit. This is not a fault. */
export class RunEnded extends Error {
  override name = 'RunEnded';
  readonly end: RunEnd;
  constructor(end: RunEnd) {
    super(end.reason);
    this.end = end;
  }
}

/** A person sent the work back. The named step runs again with the comment, and so do the steps after it. */
export class SentBack extends Error {
  override name = 'SentBack';
  readonly to: string;
  readonly feedback: string;
  constructor(to: string, feedback: string) {
    super(`sent back to ${to}: ${feedback}`);
    this.to = to;
    this.feedback = feedback;
  }
}

/** The history has grown too long, so the run goes on as a new execution with its memory. */
export class HistoryFull extends Error {
  override name = 'HistoryFull';
}

/**
 * Failures that `on-failure: continue` and `tolerate` don't pass over: a limit was reached, the sandbox was lost, the
 * work changed what the blueprint doesn't allow, or nothing can be checked where the run is.
 */
export const neverTolerated: ReadonlySet<ErrorCode> = new Set([
  'budget-exceeded',
  'sandbox-lost',
  'path-not-allowed',
  'environment',
]);

/** What went wrong, from any error that an activity, a child or an expression threw. */
export function describeFailure(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof ApplicationFailure) return { code: parseErrorCode(error.type), message: error.message };
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    if (error.cause instanceof ApplicationFailure || error.cause instanceof ActivityFailure)
      return describeFailure(error.cause);
    return {
      code: 'activity-timed-out',
      message: `${error instanceof ActivityFailure ? error.activityType : 'The agent'} did not finish in time: ${error.cause?.message ?? error.message}`,
    };
  }
  if (error instanceof Error && 'code' in error && isErrorCode(error.code))
    return { code: error.code, message: error.message };
  return { code: 'internal-error', message: error instanceof Error ? error.message : String(error) };
}

/** What was paid for, by a step or for a question that failed; undefined if nothing was. */
export function paidFor(error: unknown): Usage | undefined {
  return error instanceof StepFailed ? error.left.usage : detailsOf(error).usage;
}

/** What an activity kept before it failed, by name. */
export function keptBefore(error: unknown): Record<string, ArtifactRef> {
  return detailsOf(error).kept ?? {};
}

function detailsOf(error: unknown): FailureDetails {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  const details = FailureDetails.safeParse(cause instanceof ApplicationFailure ? cause.details?.[0] : undefined);
  return details.success ? details.data : {};
}

/**
 * Of two errors that stopped items of the same block, the one that says why. An item may be cancelled because another
 * one failed, and to go on as a new execution is never the reason for anything.
 */
export function chooseStop(first: unknown, second: unknown): unknown {
  return rankStop(second) > rankStop(first) ? second : first;
}

function rankStop(error: unknown): number {
  if (error === undefined) return 0;
  if (error instanceof HistoryFull) return 1;
  return isCancellation(error) ? 2 : 3;
}

/** Whether the error controls the walk, so that every step must let it pass. */
export function isControl(error: unknown): boolean {
  return (
    error instanceof RunEnded ||
    error instanceof SentBack ||
    error instanceof HistoryFull ||
    error instanceof CancelledFailure ||
    isCancellation(error)
  );
}
