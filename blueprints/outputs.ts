/**
 * What steps leave for expressions, as `steps.ID.NAME`, and what else expressions can read. The interpreter puts exactly
 * these names into the scope; of a step that was skipped, only `outcome`.
 */
import type { Outputs, OutputType } from './kinds/kind.ts';
import { kinds, type StepKind } from './kinds/kinds.ts';
import { type Step, stepKind } from './schema.ts';
import { allSteps, type NamedBlueprint } from './steps.ts';

/** The roots of a scope that every expression can read, beside `inputs`, `steps` and the variables of blocks. */
export const roots: Record<string, Record<string, OutputType>> = {
  run: { id: 'string', url: 'string' },
  repository: { name: 'string', branch: 'string', commit: 'string' },
  blueprint: { path: 'string' },
  evidence: { summary: 'string' },
};

/** The paths of a scope whose numbers are doubles though they may be whole; for the `doubles` of an evaluation. */
export function doublePaths(blueprint: NamedBlueprint): Set<string> {
  const inputs = Object.entries(blueprint.inputs ?? {}).flatMap(([name, { type }]) =>
    type === 'number' ? [`inputs.${name}`] : [],
  );
  const outputs = allSteps(blueprint.steps).flatMap((step) =>
    Object.entries(outputsOf(stepKind(step), step)).flatMap(([name, { type }]) =>
      type === 'double' ? [`steps.${step.id}.${name}`] : [],
    ),
  );
  return new Set([...inputs, ...outputs]);
}

/** Whether a name is a root of every scope. */
export function isRoot(name: string): boolean {
  return name === 'inputs' || name === 'steps' || Object.hasOwn(roots, name);
}

/** The outputs that one step has, by name; of a step that isn't known, those that its kind may have. */
export function outputsOf(kind: StepKind, step: Step | undefined): Outputs {
  const { outputs } = kinds[kind];
  return (step && kinds[kind].variantOf?.(step)?.outputs) ?? outputs;
}
