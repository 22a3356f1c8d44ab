/**
 * Walks a blueprint's steps in order. What the journal holds is done; the rest is carried out, one step kind a file.
 */
import { workflowInfo } from '@temporalio/workflow';
import type { ErrorCode } from '../base/errors.ts';
import { stepKind, type StepKind } from '../blueprints/schema.ts';
import { stepPath, type NamedStep } from '../blueprints/steps.ts';
import { checkTime } from './budget.ts';
import type { RunContext, Scope, StepKindAction, StepPlace } from './context.ts';
import {
  describeFailure,
  HistoryFull,
  isControl,
  neverPassedOver,
  RunEnded,
  SentBack,
  StepFailed,
} from './failures.ts';
import { guardStaleResume } from './freshness.ts';
import type { StepRecord } from './journal.ts';
import { isTrue, withStep } from './render.ts';
import { agentStep } from './steps/agent.ts';
import { approveStep } from './steps/approve.ts';
import { changeStep } from './steps/change.ts';
import { checkStep } from './steps/check.ts';
import { ciStep } from './steps/ci.ts';
import { eachStep } from './steps/each.ts';
import { editStep } from './steps/edit.ts';
import { endStep } from './steps/end.ts';
import { promptStep } from './steps/prompt.ts';
import { runStep } from './steps/run.ts';

const actions = {
  run: runStep,
  check: checkStep,
  agent: agentStep,
  prompt: promptStep,
  edit: editStep,
  each: eachStep,
  change: changeStep,
  ci: ciStep,
  approve: approveStep,
  end: endStep,
};

/** Carries out a list of steps. @throws StepFailed, or the control that ends or restarts the walk. */
export async function walk(
  run: RunContext,
  steps: NamedStep[],
  outer: Scope,
  parent?: { path: string; index: number },
): Promise<void> {
  let scope = outer;
  for (let index = 0; index < steps.length; index += 1) {
    const step = steps[index];
    if (!step) continue;
    const path = stepPath(parent, step.id);
    try {
      const record =
        run.journal.records.get(path) ?? (await carryOut(run, step, { path, scope, before: steps.slice(0, index) }));
      run.journal.records.set(path, record);
      scope = withStep(scope, step.id, record);
    } catch (error) {
      if (!(error instanceof SentBack)) throw error;
      index = goBack(run, steps, error, parent) - 1;
      scope = steps
        .slice(0, index + 1)
        .reduce(
          (known, { id }) =>
            withStep(known, id, run.journal.records.get(stepPath(parent, id)) ?? { outcome: 'skipped', outputs: {} }),
          outer,
        );
    }
  }
}

/** Forgets the step that gets the feedback and what came after it; returns where the walk goes on. */
function goBack(
  run: RunContext,
  steps: NamedStep[],
  { to, feedback }: SentBack,
  parent?: { path: string; index: number },
): number {
  const target = steps.findIndex(({ id }) => id === to);
  for (const { id } of steps.slice(target)) run.journal.forget(stepPath(parent, id));
  run.carried.feedback[stepPath(parent, to)] = feedback;
  return target;
}

/** Between two steps the run can be paused, stopped by its budget, found stale, or moved to a new execution. */
async function checkpoint(run: RunContext): Promise<void> {
  const { settings } = run.opened;
  await run.control.whilePaused(settings.humanWaitMs, (ms) => (run.carried.waitedMs += ms));
  await guardStaleResume(run);
  checkTime(run);
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  if (continueAsNewSuggested || (settings.continueAfterEvents > 0 && historyLength > settings.continueAfterEvents))
    throw new HistoryFull();
}

async function carryOut(
  run: RunContext,
  step: NamedStep,
  place: Pick<StepPlace<NamedStep>, 'path' | 'scope' | 'before'>,
): Promise<StepRecord> {
  await checkpoint(run);
  const { path, scope } = place;
  const kind = stepKind(step);
  const row = run.view.begin(path, kind, step.title ?? path);
  try {
    if (step.if !== undefined && !isTrue(step.if, scope)) {
      run.view.finish(row, 'skipped', { note: 'its condition is false' });
      return { outcome: 'skipped', outputs: {} };
    }
    const { outputs, cut, ...shown } = await actionFor(kind)(run, { ...place, step, key: run.journal.key(path) });
    run.view.finish(row, 'succeeded', shown);
    return { outcome: 'succeeded', outputs, ...(cut && cut.length > 0 && { cut }) };
  } catch (error) {
    if (isControl(error)) {
      const note = error instanceof RunEnded ? error.end.reason : error instanceof Error ? error.message : '';
      run.view.finish(row, error instanceof RunEnded && error.end.code === undefined ? 'succeeded' : 'failed', {
        note,
      });
      throw error;
    }
    const { code, message } = describeFailure(error);
    run.view.finish(row, 'failed', { note: message });
    if (step['on-failure'] === 'continue' && !neverPassedOver.has(code)) return { outcome: 'failed', outputs: {} };
    throw new FailedAt(path, code, message);
  }
}

/** A step's failure with the innermost step that it came from. */
export class FailedAt extends StepFailed {
  readonly path: string;
  constructor(path: string, code: ErrorCode, message: string) {
    super(code, message);
    this.path = path;
  }
}

/** A kind's action takes its own kind of step; the key that chose it is the proof. */
function actionFor(kind: StepKind): StepKindAction<NamedStep> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a table of functions loses which takes what
  return actions[kind] as StepKindAction<NamedStep>;
}
