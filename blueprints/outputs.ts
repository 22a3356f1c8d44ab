/**
 * The outputs that expressions read as `steps.ID.NAME`, and everything else that they can read. The interpreter puts
 * exactly these names into the scope. A skipped step has only `outcome`.
 */
import type { Outputs, OutputType } from './kinds/kind.ts';
import { kinds, type StepKind } from './kinds/kinds.ts';
import { type Step, stepKind } from './schema.ts';
import { allSteps, type NamedBlueprint } from './steps.ts';

/** The roots that every expression can read, besides `inputs`, `steps` and the variables of blocks. */
export const roots: Record<string, Record<string, OutputType>> = {
  run: { id: 'string', url: 'string' },
  repository: { name: 'string', branch: 'string', commit: 'string' },
  blueprint: { path: 'string' },
  evidence: { summary: 'string' },
};

/** The paths whose numbers are doubles even if they are whole; for the `doubles` of an evaluation. */
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

/** The outputs of one step, by name. If the step is unknown, those that its kind may have. */
export function outputsOf(kind: StepKind, step: Step | undefined): Outputs {
  const { outputs } = kinds[kind];
  return (step && kinds[kind].variantOf?.(step)?.outputs) ?? outputs;
}
