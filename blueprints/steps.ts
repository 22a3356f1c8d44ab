/** Names and places of steps, the same for the checker, the interpreter and whoever shows a run. */
import { type Blueprint, type EachStep, type Step, stepKind, type StepKind } from './schema.ts';

/** A step that has its id, and so have the steps in it. */
export type NamedStep = (Exclude<Step, EachStep> & { id: string }) | NamedEachStep;
export type NamedEachStep = Omit<EachStep, 'do'> & { id: string; do: NamedStep[] };
export type NamedBlueprint = Omit<Blueprint, 'steps'> & { steps: NamedStep[] };

/** Gives every step without an id one: its kind, then `kind_2`, and so on, around the ids that are taken. Repeatable. */
export function withIds(blueprint: Blueprint): NamedBlueprint {
  const names = new StepNames(allSteps(blueprint.steps).flatMap((step) => step.id ?? []));
  const name = (step: Step): NamedStep => {
    const id = step.id ?? names.next(stepKind(step));
    return 'each' in step ? { ...step, id, do: step.do.map(name) } : { ...step, id };
  };
  return { ...blueprint, steps: blueprint.steps.map(name) };
}

/** Hands out the ids that steps without one get, in the order of the text. */
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

/** Every step with those inside of it, in the order of the text. */
export function allSteps(steps: Step[]): Step[] {
  return steps.flatMap((step) => ('each' in step ? [step, ...allSteps(step.do)] : [step]));
}

/** Where a step stands in a run: `ask`, or `rewrite[3].ask` for the fourth item of the `each` step `rewrite`. */
export function stepPath(parent: { path: string; index: number } | undefined, id: string): string {
  return parent ? `${parent.path}[${parent.index}].${id}` : id;
}
