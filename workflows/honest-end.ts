/** The last resort of workflow code: an unexpected error ends the run instead of blocking it for ever. */
import {
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  DeterminismViolationError,
  isCancellation,
} from '@temporalio/workflow';
import type { ArtifactRef } from '../artifacts/contract.ts';
import { collectEvidence } from './evidence.ts';
import { describeFailure } from './failures.ts';
import { keepLarge } from './large-values.ts';
import type { RunMemory } from './memory.ts';
import type { RunEnd } from './messages.ts';
import { perform } from './perform.ts';

/** The details of a workflow's failure, for those who read it after the run's end. */
export type EndDetails = [end: RunEnd, evidence?: ArtifactRef];

/**
 * Runs a workflow and turns an unexpected error into a failure with a code, mostly `internal-error`. Without this,
 * Temporal would retry the workflow task until somebody fixed the code. That is right if a history doesn't fit the
 * code, so that error passes through. The workflow's own failures, its cancellation and its going on as a new execution
 * pass through too.
 */
export async function endHonestly<Result>(
  work: () => Promise<Result>,
  cleanUp: (end: RunEnd, error: unknown) => Promise<EndDetails>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isExpected(error)) throw error;
    const { code, message } = describeFailure(error);
    const end: RunEnd = { outcome: 'failed', code, reason: message };
    const details = await CancellationScope.nonCancellable(() => cleanUp(end, error));
    throw ApplicationFailure.create({ message, type: code, nonRetryable: true, details });
  }
}

function isExpected(error: unknown): boolean {
  return (
    error instanceof ApplicationFailure ||
    error instanceof ContinueAsNew ||
    error instanceof DeterminismViolationError ||
    isCancellation(error)
  );
}

/** Removes the run's sandboxes, and keeps the run's state and the error as its evidence. */
export async function cleanUpRun(memory: RunMemory | undefined, end: RunEnd, error: unknown): Promise<EndDetails> {
  for (const id of memory?.sandboxIds ?? [])
    await ignoreFailure(perform('removeSandbox', { id }, { summary: 'clean up' }));
  const known = memory ? collectEvidence(memory, end) : { end };
  const stack = (error instanceof Error && error.stack) || '';
  const evidence = await ignoreFailure(keepLarge({ ...known, stack }, 'the evidence'));
  return evidence ? [end, evidence] : [end];
}

/** An agent has nothing to clean up: its sandbox and its evidence belong to its run. */
export async function cleanUpAgent(end: RunEnd): Promise<EndDetails> {
  return [end];
}

/** Ignores a failure, since nothing may prevent the run's end. */
async function ignoreFailure<Value>(work: Promise<Value>): Promise<Value | undefined> {
  return work.catch(() => undefined);
}
