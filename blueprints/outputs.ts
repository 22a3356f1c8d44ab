/**
 * The outputs that expressions read as `steps.ID.NAME`, and everything else that they can read. The interpreter puts
 * exactly these names into the scope. A skipped step has only `outcome`.
 */
import type { Doubles } from './cel-values.ts';
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

/** The places whose numbers are doubles even if they are whole; for the `doubles` of an evaluation. */
export function findDoubles(blueprint: NamedBlueprint): ReadonlyMap<string, Doubles> {
  const inputs = Object.entries(blueprint.inputs ?? {}).flatMap(([name, { type }]): [string, Doubles][] =>
    type === 'number' ? [[name, true]] : [],
  );
  const steps = allSteps(blueprint.steps).map((step): [string, Doubles] => {
    const kind = stepKind(step);
    const outputs = Object.entries(outputsOf(kind, step)).flatMap(([name, { type }]): [string, Doubles][] => {
      const doubles = type === 'double' ? true : kinds[kind].doublesOf?.(step, name);
      return doubles === undefined ? [] : [[name, doubles]];
    });
    return [step.id, new Map(outputs)];
  });
  return new Map([
    ['inputs', new Map(inputs)],
    ['steps', new Map(steps)],
  ]);
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
