/**
 * The outputs that expressions read as `steps.ID.NAME`, and everything else that they can read. The interpreter puts
 * exactly these names into the scope. A skipped step has only `outcome`.
 */
import type { Json } from '../base/json.ts';
import type { Doubles } from './cel-values.ts';
import type { Outputs, OutputType } from './kinds/kind.ts';
import { kinds, type StepKind } from './kinds/kinds.ts';
import { type Step, stepKind } from './schema.ts';
import { allSteps, type NamedBlueprint } from './steps.ts';

/** The roots that expressions can read, besides `inputs`, `steps` and the variables of blocks. */
export const roots = {
  run: { id: 'string', requester: 'string' },
  repository: { name: 'string', branch: 'string', commit: 'string' },
  blueprint: { path: 'string' },
  evidence: { summary: 'string' },
} as const satisfies Record<string, Record<string, OutputType>>;

/** The roots that are there everywhere. `evidence` is there only where a step's definition says so. */
const everywhere = ['run', 'repository', 'blueprint'] as const;

/** The values of the roots that are there everywhere. */
export type RootValues = { [Root in (typeof everywhere)[number]]: { [Field in keyof (typeof roots)[Root]]: string } };

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

const emptyValues: Record<OutputType, Json> = {
  bool: false,
  int: 0,
  double: 0,
  string: '',
  'list<string>': [],
  dyn: null,
};

/** The outputs of a step that failed before it had any. */
export function emptyOutputs(step: Step): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(outputsOf(stepKind(step), step)).flatMap(([name, { type, ifUnknown }]): [string, Json][] =>
      name === 'outcome' ? [] : [[name, ifUnknown ?? emptyValues[type]]],
    ),
  );
}

/** Whether a name is a root of every scope. */
export function isRoot(name: string): boolean {
  return name === 'inputs' || name === 'steps' || fieldsOf(name) !== undefined;
}

/** The fields of a root; undefined if it is none of {@link roots}. */
export function fieldsOf(name: string): readonly string[] | undefined {
  return Object.entries(roots).flatMap(([root, fields]) => (root === name ? [Object.keys(fields)] : []))[0];
}

/** The outputs of one step, by name. If the step is unknown, those that its kind may have. */
export function outputsOf(kind: StepKind, step: Step | undefined): Outputs {
  const { outputs } = kinds[kind];
  return (step && kinds[kind].variantOf?.(step)?.outputs) ?? outputs;
}
