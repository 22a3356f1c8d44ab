/** The last resort of workflow code: what nobody foresaw ends the run, instead of holding it up for ever. */
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

/** What a failure carries for whoever asks after the run's end. */
export type EndDetails = [end: RunEnd, evidence?: ArtifactRef];

/**
 * Does a workflow's work, in which an error that nobody foresaw becomes a failure with a code, mostly `internal-error`.
 * Temporal would try the workflow task again until somebody mends the code. It does so rightly where a history doesn't
 * fit the code, so that error passes; so do the workflow's own failures, its cancellation, and its going on as a new
 * execution.
 */
export async function endHonestly<Result>(
  work: () => Promise<Result>,
  cleanUp: (end: RunEnd, error: unknown) => Promise<EndDetails>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isMeant(error)) throw error;
    const { code, message } = describeFailure(error);
    const end: RunEnd = { outcome: 'failed', code, reason: message };
    const details = await CancellationScope.nonCancellable(() => cleanUp(end, error));
    throw ApplicationFailure.create({ message, type: code, nonRetryable: true, details });
  }
}

function isMeant(error: unknown): boolean {
  return (
    error instanceof ApplicationFailure ||
    error instanceof ContinueAsNew ||
    error instanceof DeterminismViolationError ||
    isCancellation(error)
  );
}

/** Removes the run's sandboxes, and keeps what it knew and the fault itself as its evidence. */
export async function cleanUpRun(memory: RunMemory | undefined, end: RunEnd, error: unknown): Promise<EndDetails> {
  for (const id of memory?.sandboxIds ?? []) await orNothing(perform('removeSandbox', { id }, { summary: 'clean up' }));
  const known = memory ? collectEvidence(memory, end) : { end };
  const stack = (error instanceof Error && error.stack) || '';
  const evidence = await orNothing(keepLarge({ ...known, stack }, 'the evidence'));
  return evidence ? [end, evidence] : [end];
}

/** An agent's sandbox and its evidence are its run's. */
export async function cleanUpAgent(end: RunEnd): Promise<EndDetails> {
  return [end];
}

/** Nothing may stand in the way of the end. */
async function orNothing<Value>(work: Promise<Value>): Promise<Value | undefined> {
  return work.catch(() => undefined);
}
