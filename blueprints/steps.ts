/** Names and places of steps, the same for the checker, the interpreter and everything that shows a run. */
import { kinds, type StepKind } from './kinds/kinds.ts';
import { type Blueprint, type Step, stepKind } from './schema.ts';

/** A step with an id, whose inner steps have ids too. */
export type NamedStep = Named<Step>;
export type NamedBlueprint = Omit<Blueprint, 'steps'> & { steps: NamedStep[] };
/** A type of step, with an id, whose inner steps have ids too. */
export type Named<S extends Step> = S extends Step
  ? { [Key in keyof S]: S[Key] extends Step[] ? NamedStep[] : S[Key] } & { id: string }
  : never;

/**
 * Gives an id to every step without one: its kind, then `kind_2`, and so on, avoiding ids that are taken. Repeatable.
 */
export function withIds(blueprint: Blueprint): NamedBlueprint {
  const names = new StepNames(allSteps(blueprint.steps).flatMap((step) => step.id ?? []));
  const name = (step: Step): NamedStep => {
    const id = step.id ?? names.next(stepKind(step));
    const named = withChildren({ ...step, id }, childrenOf(step).map(name));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has its id, and so have all in it
    return named as NamedStep;
  };
  return { ...blueprint, steps: blueprint.steps.map(name) };
}

/** Gives out ids for steps without one, in the order of the text. */
export class StepNames {
  private readonly taken: Set<string>;
  constructor(taken: Iterable<string>) {
    this.taken = new Set(taken);
  }
  next(kind: StepKind): string {
    let id: string = kind;
    for (let count = 2; this.taken.has(id); count++) id = `${kind}_${count}`;
    this.taken.add(id);
    return id;
  }
}

/** The inner steps of a step; an empty list if it is not a block. */
export function childrenOf(step: NamedStep): NamedStep[];
export function childrenOf(step: Step): Step[];
export function childrenOf(step: Step): Step[] {
  const { children } = kinds[stepKind(step)];
  if (!children) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the kind says that its steps are at this key
  return (step as unknown as Record<string, Step[]>)[children.key] ?? [];
}

/** The step with other inner steps. A step that is not a block stays as it is. */
export function withChildren(step: Step, inner: Step[]): Step {
  const { children } = kinds[stepKind(step)];
  return children ? { ...step, [children.key]: inner } : step;
}

/** All steps, with those inside blocks, in the order of the text. */
export function allSteps(steps: NamedStep[]): NamedStep[];
export function allSteps(steps: Step[]): Step[];
export function allSteps(steps: Step[]): Step[] {
  return steps.flatMap((step) => [step, ...allSteps(childrenOf(step))]);
}

/** The path of a step in a run: `ask`, or `rewrite[3].ask` for the fourth item of the `each` step `rewrite`. */
export function stepPath(parent: { path: string; index: number } | undefined, id: string): string {
  return parent ? `${parent.path}[${parent.index}].${id}` : id;
}
