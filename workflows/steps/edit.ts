import { defaults } from '../../base/defaults.ts';
import { durationMs } from '../../base/durations.ts';
import type { EditStep } from '../../blueprints/schema.ts';
import { StepFailed } from '../failures.ts';
import type { RunContext, Scope, StepKindAction } from '../context.ts';
import { perform } from '../perform.ts';
import { text, value } from '../render.ts';

/** Code applies an exact replacement, and refuses where it doesn't match. */
export const editStep: StepKindAction<EditStep> = async (run, { step, key, scope }) => {
  const { edit } = step;
  const path = text(edit.path, scope);
  const line = edit.line === undefined ? undefined : wholeNumber(edit.line, scope);
  const { replacements } = await oneAtATime(run, path, () =>
    perform(
      'applyEdit',
      {
        sandbox: run.sandbox,
        key,
        path,
        old: text(edit.old, scope),
        new: text(edit.new, scope),
        all: edit.all ?? false,
        ...(line !== undefined && { line }),
      },
      {
        summary: path,
        timeoutMs: step.timeout ? durationMs(step.timeout) : defaults.timeoutsMs.edit,
        attempts: (step.retry ?? defaults.retries) + 1,
        heartbeatTimeoutMs: run.opened.settings.heartbeatTimeoutMs,
      },
    ),
  );
  return { outputs: { path, replacements }, note: `${path}${line === undefined ? '' : `:${line}`}` };
};

/** The items of an `each` step run at once, and an edit reads and writes the whole file: edits of one file wait for each other. */
async function oneAtATime<Result>(run: RunContext, path: string, edit: () => Promise<Result>): Promise<Result> {
  const before = run.edits.get(path);
  const mine = (async () => {
    await before?.catch(() => undefined);
    return edit();
  })();
  run.edits.set(path, mine);
  return mine;
}

function wholeNumber(source: string | number, scope: Scope): number {
  const number = typeof source === 'number' ? source : Number(value(source, scope));
  if (!Number.isSafeInteger(number) || number < 1)
    throw new StepFailed('edit-line-invalid', 'The line of an edit is a whole number from 1');
  return number;
}
