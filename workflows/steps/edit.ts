import { durationMs } from '../../base/durations.ts';
import type { EditStep } from '../../blueprints/kinds/edit.ts';
import { allSteps } from '../../blueprints/steps.ts';
import type { RunContext, Scope, StepAction } from '../context.ts';
import { StepFailed } from '../failures.ts';
import type { EditUndo } from '../memory.ts';
import { perform } from '../perform.ts';
import { text, value } from '../render.ts';

/** Replaces an exact text in a file by code. It refuses if the text doesn't match. */
export const editStep: StepAction<EditStep> = async (run, { step, key, scope }) => {
  const { edit } = step;
  const { heartbeatTimeoutMs, defaults } = run.opened.settings;
  const path = text(edit.path, scope);
  const line = edit.line === undefined ? undefined : wholeNumber(edit.line, scope);
  const replacement = {
    path,
    old: text(edit.old, scope),
    new: text(edit.new, scope),
    all: edit.all ?? false,
    ...(line !== undefined && { line }),
  };
  const { replacements, kept } = await oneAtATime(run, async () =>
    perform(
      'applyEdit',
      { sandbox: await run.absence.ensureSandbox(run), key, ...replacement, keepBefore: canBeUndone(run) },
      {
        summary: path,
        timeoutMs: step.timeout ? durationMs(step.timeout) : defaults.timeoutsMs.edit,
        attempts: (step.retry ?? defaults.retries) + 1,
        heartbeatTimeoutMs,
      },
    ),
  );
  const undo: EditUndo[] = kept ? [{ order: (run.memory.counts.edits += 1), ...replacement, ...kept }] : [];
  return { outputs: { path, replacements }, note: `${path}${line === undefined ? '' : `:${line}`}`, undo };
};

/** Whether the edit may be undone: only an `approve` step can send work back. */
function canBeUndone(run: RunContext): boolean {
  return allSteps(run.opened.blueprint.steps).some((step) => 'approve' in step);
}

/** Makes or undoes an edit after the ones before it: each reads and writes a whole file. */
export async function oneAtATime<Result>(run: RunContext, edit: () => Promise<Result>): Promise<Result> {
  const before = run.edits.last;
  const mine = (async () => {
    await before.catch(() => undefined);
    return edit();
  })();
  run.edits.last = mine;
  return mine;
}

function wholeNumber(source: string | number, scope: Scope): number {
  const number = typeof source === 'number' ? source : Number(value(source, scope));
  if (!Number.isSafeInteger(number) || number < 1)
    throw new StepFailed('edit-line-invalid', 'The line of an `edit` step must be a whole number from 1');
  return number;
}
