import { defaults } from '../../blueprints/defaults.ts';
import type { NamedEachStep } from '../../blueprints/steps.ts';
import { describeFailure, isControl, StepFailed } from '../failures.ts';
import { walk } from '../interpreter.ts';
import type { StepKindAction } from '../context.ts';
import { value, withValue } from '../render.ts';

/** The same steps for each item of a list, some at once. Items that fail past `tolerate` fail the step. */
export const eachStep: StepKindAction<NamedEachStep> = async (run, { step, path, scope }) => {
  const items = value(step.each, scope);
  if (!Array.isArray(items)) throw new StepFailed('each-needs-a-list', 'The items of an each step are no list');
  if (items.length > defaults.each.maxItems) throw new StepFailed('each-too-many', `The list has ${items.length} items; at most ${defaults.each.maxItems} are carried out`);
  run.view.setItems(path, items.length);
  const tolerate = step.tolerate ?? defaults.each.tolerate;
  const failures: string[] = [];
  let next = 0;
  let stopped: unknown;

  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length && !stopped && failures.length <= tolerate; index = next++) {
      const item = items[index];
      if (item === undefined) continue;
      try {
        await walk(run, step.do, withValue(scope, step.as, item), { path, index });
      } catch (error) {
        if (isControl(error)) stopped ??= error;
        else failures.push(`item ${index}: ${describeFailure(error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(step['at-once'] ?? defaults.each.atOnce, items.length) }, worker));
  if (stopped) throw stopped;
  if (failures.length > tolerate) throw new StepFailed('each-failed', `${failures.length} of ${items.length} items failed: ${failures.slice(0, 3).join('; ')}`);
  const succeeded = items.length - failures.length;
  return { outputs: { count: items.length, succeeded, failed: failures.length }, note: `${succeeded} of ${items.length} items` };
};
