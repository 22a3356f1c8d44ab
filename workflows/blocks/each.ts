import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { Json } from '../../base/json.ts';
import { plural } from '../../base/plural.ts';
import type { NamedEachStep } from '../../blueprints/kinds/each.ts';
import { isBudgetSpent } from '../budget.ts';
import type { RunContext, StepAction, StepPlace } from '../context.ts';
import {
  chooseStop,
  describeFailure,
  FailedAt,
  HistoryFull,
  isControl,
  neverTolerated,
  StepFailed,
} from '../failures.ts';
import { itemKey, recordItem } from '../journal.ts';
import type { StepRecord } from '../memory.ts';
import { value, withItem } from '../render.ts';

/**
 * Carries out the same steps for each item of a list, several at a time. If more items fail than the step tolerates, no
 * further item begins: items at work run to their end, and items that wait for a person stop waiting. A lost sandbox, a
 * change to a path that is not allowed and the end of the run stop all items immediately.
 */
export const eachBlock: StepAction<NamedEachStep> = async (run, place) => {
  const { step, path, scope } = place;
  const { defaults } = run.opened.settings;
  const items = value(step.each, scope);
  if (!Array.isArray(items)) throw new StepFailed('each-needs-a-list', 'The items of the `each` step are not a list');
  if (items.length > defaults.each.maxItems) {
    const atMost = `at most ${defaults.each.maxItems} are allowed`;
    throw new StepFailed('each-too-many', `The list has ${items.length} items; ${atMost}`);
  }
  run.view.setItems(path, items.length);
  const tolerate = step.tolerate ?? defaults.each.tolerate;
  const atOnce = Math.min(step['at-once'] ?? defaults.each.atOnce, items.length);
  const failed: string[] = [];
  let overBudget: StepRecord['failure'];
  let stopped: unknown;
  const work = new CancellationScope();
  const waits = new CancellationScope({ parent: run.waits, cancellable: true });
  const inItems = { ...run, atOnce: run.atOnce * atOnce, waits };
  const goesOn = () => stopped === undefined && failed.length <= tolerate;
  let next = 0;
  let ended = 0;

  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length && goesOn(); index = next++) {
      try {
        const { failure } = await carryOutItem(inItems, place, index, items[index] ?? null);
        ended += 1;
        if (!failure) continue;
        failed.push(`item ${index}: ${failure.message}`);
        if (failure.code === 'budget-exceeded') overBudget ??= failure;
        if (!goesOn()) waits.cancel();
      } catch (error) {
        // An item that stopped waiting because of the others has nothing to report.
        if (isCancellation(error) && !goesOn()) return;
        stopped = chooseStop(stopped, error);
        if (error instanceof HistoryFull) continue;
        work.cancel();
        waits.cancel();
      }
    }
  };
  await work.run(() => Promise.all(Array.from({ length: atOnce }, worker)));
  if (overBudget && isBudgetSpent(run))
    throw new FailedAt(overBudget.path ?? path, overBudget.code, overBudget.message);
  if (stopped !== undefined && (!(stopped instanceof HistoryFull) || failed.length <= tolerate)) throw stopped;
  // Of an item that never began, neither can be said.
  const succeeded = ended - failed.length;
  const outputs = { count: items.length, succeeded, failed: failed.length };
  if (failed.length > tolerate) {
    const first = failed.slice(0, 3).join('; ');
    throw new StepFailed('each-failed', `${failed.length} of ${plural(items.length, 'item')} failed: ${first}`, {
      outputs,
    });
  }
  return { outputs, note: `${succeeded} of ${plural(items.length, 'item')}` };
};

/** Carries out one item and records how it ended. @throws what ends the block, whatever `tolerate` says */
async function carryOutItem(
  run: RunContext,
  { step, path, key, scope, walkItem }: StepPlace<NamedEachStep>,
  index: number,
  item: Json,
): Promise<StepRecord> {
  const { memory } = run;
  const known = memory.records[itemKey({ path, key, index })];
  if (known) return known;
  const record = (how: Pick<StepRecord, 'outcome' | 'failure'>) => recordItem(memory, { path, key, index }, how);
  try {
    await walkItem(run, step.do, withItem(scope, { name: step.as, list: step.each, item }), index);
    return record({ outcome: 'succeeded' });
  } catch (error) {
    const { code, message } = describeFailure(error);
    // An item may reach its own limit or its share of the run's. Whether the run's is spent is checked afterwards.
    if (isControl(error) || (neverTolerated.has(code) && code !== 'budget-exceeded')) throw error;
    const at = error instanceof FailedAt ? { path: error.path } : {};
    return record({ outcome: 'failed', failure: { code, message, ...at } });
  }
}
