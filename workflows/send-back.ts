/** Sends work back to an earlier step of the same list, with what a person said. */
import { plural } from '../base/plural.ts';
import { childrenOf, type NamedStep } from '../blueprints/steps.ts';
import type { RunContext } from './context.ts';
import { SentBack } from './failures.ts';
import { forgetStep, nameStep, type Item } from './journal.ts';
import type { EditUndo } from './memory.ts';
import { perform } from './perform.ts';

/**
 * Forgets the target step and those after it, and undoes their edits. What commands and agents did stays: commands run
 * again on top of it, and agents go on from it. Returns the index at which the walk goes on.
 */
export async function sendBack(
  run: RunContext,
  steps: NamedStep[],
  { to, feedback }: SentBack,
  item?: Item,
): Promise<number> {
  const target = steps.findIndex(({ id }) => id === to);
  const undo = steps.slice(target).flatMap(({ id }) => forgetStep(run.memory, nameStep(run.memory, id, item)));
  const { path, key } = nameStep(run.memory, to, item);
  run.memory.feedback[key] = feedback;
  if (undo.length > 0) await undoEdits(run, { path, key }, undo);
  return target;
}

/** Undoes the edits, the last one first, so that each finds the file as it left it. */
async function undoEdits(
  run: RunContext,
  { path, key }: { path: string; key: string },
  undo: EditUndo[],
): Promise<void> {
  const { heartbeatTimeoutMs, defaults } = run.opened.settings;
  const row = run.view.begin(`${path}/undo`, 'undo', 'The edits since then are undone');
  for (const { order, ...edit } of undo.toSorted((a, b) => b.order - a.order)) {
    await perform(
      'undoEdit',
      { sandbox: await run.absence.ensureSandbox(run), key: `${key}/undo/${order}`, ...edit },
      {
        summary: `undo ${edit.path}`,
        timeoutMs: defaults.timeoutsMs.edit,
        heartbeatTimeoutMs,
      },
    );
  }
  delete run.memory.copy;
  run.view.finish(row, 'succeeded', { note: plural(undo.length, 'edit') });
}

const asksModel = (step: NamedStep): boolean => 'agent' in step || 'prompt' in step || childrenOf(step).some(asksModel);

/** The steps that work can be sent back to, the default first: the last that asks a model, else the first of all. */
export function listTargets(before: NamedStep[]): string[] {
  const usual = before.findLast(asksModel) ?? before[0];
  return usual ? [usual.id, ...before.filter((step) => step !== usual).map(({ id }) => id)] : [];
}
