/** The last resort of workflow code: what nobody foresaw ends the run, instead of holding it up for ever. */
import {
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  DeterminismViolationError,
  isCancellation,
} from '@temporalio/workflow';
import type { ArtifactRef } from '../artifacts/contract.ts';
import { describeFailure } from './failures.ts';
import type { RunEnd, RunRequest } from './messages.ts';
import { perform } from './perform.ts';
import { runKey } from './sandbox.ts';

/** What a failure carries for whoever asks after the run's end. */
export type EndDetails = [end: RunEnd, evidence?: ArtifactRef];

/**
 * The same workflow, in which an error that nobody foresaw is a failure with a code, mostly `internal-error`. Temporal
 * would try the workflow task again until somebody mends the code. It does so rightly where a history doesn't fit the
 * code, so that error passes; so do the workflow's own failures, its cancellation, and its going on as a new execution.
 */
export function endHonestly<Args extends unknown[], Result>(
  workflow: (...args: Args) => Promise<Result>,
  cleanUp: (end: RunEnd, error: unknown, args: Args) => Promise<EndDetails>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    try {
      return await workflow(...args);
    } catch (error) {
      if (isMeant(error)) throw error;
      const { code, message } = describeFailure(error);
      const end: RunEnd = { outcome: 'failed', code, reason: message };
      const details = await CancellationScope.nonCancellable(() => cleanUp(end, error, args));
      throw ApplicationFailure.create({ message, type: code, nonRetryable: true, details });
    }
  };
}

function isMeant(error: unknown): boolean {
  return (
    error instanceof ApplicationFailure ||
    error instanceof ContinueAsNew ||
    error instanceof DeterminismViolationError ||
    isCancellation(error)
  );
}

/** Removes the sandboxes that the run may have, and keeps what is known of the fault as its evidence. */
export async function cleanUpRun(
  end: RunEnd,
  error: unknown,
  [request]: [RunRequest, ...unknown[]],
): Promise<EndDetails> {
  // Those of the run itself and of its second start; one that was never made is removed all the same.
  for (const generation of [0, 1])
    await orNothing(perform('removeSandbox', { id: runKey(generation) }, { summary: 'clean up' }));
  const stack = (error instanceof Error && error.stack) || '';
  const { blueprint, repository, requester } = request;
  const value = { end: { ...end }, blueprint: blueprint.name, repository: repository.name, requester, stack };
  const evidence = await orNothing(perform('keepValue', { value }, { summary: 'the evidence' }));
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
