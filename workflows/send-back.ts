/** Sends work back to an earlier step of the same list, with what a person said. */
import { plural } from '../base/plural.ts';
import { childrenOf, type NamedStep } from '../blueprints/steps.ts';
import type { RunContext } from './context.ts';
import { describeFailure, isControl, SentBack } from './failures.ts';
import { forgetStep, nameStep, type Item } from './journal.ts';
import type { PendingUndo } from './memory.ts';
import { perform } from './perform.ts';
import { oneAtATime } from './steps/edit.ts';

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
  const edits = steps.slice(target).flatMap(({ id }) => forgetStep(run.memory, nameStep(run.memory, id, item)));
  const { path, key } = nameStep(run.memory, to, item);
  run.memory.feedback[key] = feedback;
  if (edits.length === 0) return target;
  const pending = { path, key, edits };
  run.memory.undo.push(pending);
  await undoEdits(run, pending);
  return target;
}

/** Undoes the edits that a lost sandbox left to undo. The copy that the run comes back on is from before. */
export async function undoPending(run: RunContext): Promise<void> {
  for (const pending of run.memory.undo) await undoEdits(run, pending);
}

/** Undoes the edits, the last one first, so that each finds the file as it left it. */
async function undoEdits(run: RunContext, pending: PendingUndo): Promise<void> {
  const { path, edits } = pending;
  const { memory, view } = run;
  const row = view.begin(`${path}/undo`, 'undo', 'The edits since then are undone');
  const isOver = () => {
    memory.undo = memory.undo.filter((each) => each !== pending);
  };
  try {
    for (const edit of edits.toSorted((a, b) => b.order - a.order)) await undo(run, pending, edit);
  } catch (error) {
    const { code, message } = describeFailure(error);
    view.finish(row, 'failed', { note: message });
    // In another sandbox, all of them stand again.
    if (code !== 'sandbox-lost' && !isControl(error)) isOver();
    throw error;
  }
  isOver();
  delete memory.copy;
  view.finish(row, 'succeeded', { note: plural(edits.length, 'edit') });
}

async function undo(run: RunContext, { key }: PendingUndo, { order, ...edit }: PendingUndo['edits'][number]) {
  const { heartbeatTimeoutMs, defaults } = run.opened.settings;
  await oneAtATime(run, async () =>
    perform(
      'undoEdit',
      { sandbox: await run.absence.ensureSandbox(run), key: `${key}/undo/${order}`, ...edit },
      { summary: `undo ${edit.path}`, timeoutMs: defaults.timeoutsMs.edit, heartbeatTimeoutMs },
    ),
  );
}

const asksModel = (step: NamedStep): boolean => 'agent' in step || 'prompt' in step || childrenOf(step).some(asksModel);

/** The steps that work can be sent back to, the default first: the last that asks a model, else the first of all. */
export function listTargets(before: NamedStep[]): string[] {
  const usual = before.findLast(asksModel) ?? before[0];
  return usual ? [usual.id, ...before.filter((step) => step !== usual).map(({ id }) => id)] : [];
}
