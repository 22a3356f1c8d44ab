import { defaults } from '../../base/defaults.ts';
import type { NamedEachStep } from '../../blueprints/steps.ts';
import { isBudgetSpent } from '../budget.ts';
import { describeFailure, isControl, neverPassedOver, StepFailed } from '../failures.ts';
import { walk } from '../interpreter.ts';
import type { StepKindAction } from '../context.ts';
import { value, withValue } from '../render.ts';

/**
 * The same steps for each item of a list, some at once. Items that fail past `tolerate` fail the step; a lost sandbox,
 * a path that may not change or a budget that is spent fails it at once, as what it is.
 */
export const eachStep: StepKindAction<NamedEachStep> = async (run, { step, path, scope }) => {
  const items = value(step.each, scope);
  if (!Array.isArray(items)) throw new StepFailed('each-needs-a-list', 'The items of an each step are no list');
  if (items.length > defaults.each.maxItems)
    throw new StepFailed(
      'each-too-many',
      `The list has ${items.length} items; at most ${defaults.each.maxItems} are carried out`,
    );
  run.view.setItems(path, items.length);
  const tolerate = step.tolerate ?? defaults.each.tolerate;
  const failures: string[] = [];
  const atOnce = Math.min(step['at-once'] ?? defaults.each.atOnce, items.length);
  const inItems = { ...run, atOnce: run.atOnce * atOnce };
  let next = 0;
  let stopped: unknown;
  let overBudget: unknown;

  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length && !stopped && failures.length <= tolerate; index = next++) {
      const item = items[index];
      if (item === undefined) continue;
      try {
        await walk(inItems, step.do, withValue(scope, step.as, item), { path, index });
      } catch (error) {
        const { code, message } = describeFailure(error);
        // An item may meet a bound of its own, or its share of the run's; whether the run's is spent is known when all have ended.
        if (code === 'budget-exceeded') overBudget ??= error;
        else if (isControl(error) || neverPassedOver.has(code)) stopped ??= error;
        failures.push(`item ${index}: ${message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (stopped) throw stopped;
  if (overBudget && isBudgetSpent(run)) throw overBudget;
  if (failures.length > tolerate)
    throw new StepFailed(
      'each-failed',
      `${failures.length} of ${items.length} items failed: ${failures.slice(0, 3).join('; ')}`,
    );
  const succeeded = items.length - failures.length;
  return {
    outputs: { count: items.length, succeeded, failed: failures.length },
    note: `${succeeded} of ${items.length} items`,
  };
};
