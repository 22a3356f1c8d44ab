/**
 * Walks a blueprint's steps in order. A step that the memory has a record of is skipped; any other is carried out by
 * the action of its kind.
 */
import { CancellationScope, CancelledFailure, workflowInfo } from '@temporalio/workflow';
import { emptyOutputs } from '../blueprints/outputs.ts';
import { stepKind } from '../blueprints/schema.ts';
import { childrenOf, type NamedStep } from '../blueprints/steps.ts';
import { actionFor } from './actions.ts';
import { checkTime } from './budget.ts';
import type { RunContext, Scope, StepPlace } from './context.ts';
import {
  describeFailure,
  FailedAt,
  HistoryFull,
  isControl,
  keptBefore,
  neverTolerated,
  paidFor,
  RunEnded,
  SentBack,
  StepFailed,
} from './failures.ts';
import { guardStaleResume } from './freshness.ts';
import { nameStep, type Item } from './journal.ts';
import type { StepRecord } from './memory.ts';
import { isTrue, withStep } from './render.ts';
import { sendBack } from './send-back.ts';

/** Carries out a list of steps. @throws StepFailed, or a control error that ends or restarts the walk. */
export async function walk(run: RunContext, steps: NamedStep[], outer: Scope, item?: Item): Promise<void> {
  const { records } = run.memory;
  let scope = outer;
  for (let index = 0; index < steps.length; index += 1) {
    const step = steps[index];
    if (!step) continue;
    const name = nameStep(run.memory, step.id, item);
    const feedback = run.memory.feedback[name.key] ?? item?.feedback;
    try {
      const place = { ...name, scope, before: steps.slice(0, index), ...(feedback !== undefined && { feedback }) };
      const record = records[name.key] ?? (await carryOut(run, step, place));
      records[name.key] = record;
      scope = withStep(scope, step.id, record);
    } catch (error) {
      if (!(error instanceof SentBack)) throw error;
      index = (await sendBack(run, steps.slice(0, index + 1), error, item)) - 1;
      scope = readableAfter(run, steps.slice(0, index + 1), outer, item);
    }
  }
}

function readableAfter(run: RunContext, steps: NamedStep[], outer: Scope, item?: Item): Scope {
  return steps.reduce((scope, { id }) => {
    const record = run.memory.records[nameStep(run.memory, id, item).key];
    return record ? withStep(scope, id, record) : scope;
  }, outer);
}

/** Between two steps the run can be paused, cancelled, stopped by its budget, found stale, or moved to a new execution. */
async function checkpoint(run: RunContext): Promise<void> {
  const { settings } = run.opened;
  const { control, clock } = run;
  // A pause may begin again during the check for staleness.
  while (control.isPaused) await clock.step(() => clock.wait(() => control.whilePaused(settings.humanWaitMs)));
  await guardStaleResume(run);
  checkTime(run);
  // What was at work when the run was cancelled may have come to its end all the same.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The run was cancelled');
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  if (continueAsNewSuggested || (settings.continueAfterEvents > 0 && historyLength > settings.continueAfterEvents)) {
    control.goOn();
    throw new HistoryFull();
  }
}

async function carryOut(
  run: RunContext,
  step: NamedStep,
  place: Omit<StepPlace<NamedStep>, 'step' | 'walkItem'>,
): Promise<StepRecord> {
  await checkpoint(run);
  const { path, key, scope, feedback } = place;
  const kind = stepKind(step);
  const row = run.view.begin(path, kind, step.title ?? path);
  const usesBefore = run.absence.uses;
  const walkItem: StepPlace<NamedStep>['walkItem'] = (within, steps, readable, index) =>
    walk(within, steps, readable, { path, key, index, ...(feedback !== undefined && { feedback }) });
  try {
    if (step.if !== undefined && !isTrue(step.if, scope)) {
      run.view.finish(row, 'skipped', { note: 'its condition is false' });
      return { outcome: 'skipped', outputs: {} };
    }
    const act = () => actionFor(kind)(run, { ...place, step, walkItem });
    // The steps inside a block have their own time.
    const isBlock = childrenOf(step).length > 0;
    const { outputs, cut, undo, ...shown } = await (isBlock ? act() : run.clock.step(act));
    // What it did in the sandbox isn't in the copy, unless the sandbox was let go after that.
    if (run.memory.sandbox && usesBefore !== run.absence.uses) delete run.memory.copy;
    run.view.finish(row, 'succeeded', shown);
    return { outcome: 'succeeded', outputs, ...(cut && cut.length > 0 && { cut }), ...(undo && { undo }) };
  } catch (error) {
    // The next execution goes on with this row.
    if (error instanceof HistoryFull) throw error;
    if (isControl(error)) {
      const isFine = error instanceof SentBack || (error instanceof RunEnded && error.end.code === undefined);
      run.view.finish(row, isFine ? 'succeeded' : 'failed', { note: noteOf(error) });
      throw error;
    }
    const { code, message } = describeFailure(error);
    run.view.keep(path, { artifacts: keptBefore(error) });
    // What it did before it failed isn't in the copy either, but is gone with a lost sandbox.
    if (code !== 'sandbox-lost' && usesBefore !== run.absence.uses) delete run.memory.copy;
    const usage = paidFor(error);
    run.view.finish(row, 'failed', { note: message, ...(usage && { usage }) });
    if (step['on-failure'] === 'continue' && !neverTolerated.has(code))
      return { outcome: 'failed', ...leftBy(step, error), failure: { code, message } };
    throw new FailedAt(error instanceof FailedAt ? error.path : path, code, message);
  }
}

/** Every output of a failed step can be read: what the failure left, and else the empty value of its type. */
function leftBy(step: NamedStep, error: unknown): Pick<StepRecord, 'outputs' | 'cut'> {
  const { outputs, cut = [] }: StepFailed['left'] = error instanceof StepFailed ? error.left : {};
  return { outputs: { ...emptyOutputs(step), ...outputs }, ...(cut.length > 0 && { cut }) };
}

function noteOf(error: unknown): string {
  if (error instanceof RunEnded) return error.end.reason;
  return error instanceof Error ? error.message : '';
}
