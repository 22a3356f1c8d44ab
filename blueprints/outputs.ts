/**
 * What each kind of step leaves for expressions, as `steps.ID.NAME`. The checker's types and the reference come from
 * this table, and the interpreter puts exactly these names into the scope; of a step that was skipped, only `outcome`.
 */
import type { Step, StepKind } from './schema.ts';
import { allSteps, type NamedBlueprint } from './steps.ts';

/** A type of the expression language. */
export type OutputType = 'bool' | 'int' | 'double' | 'string' | 'list<string>' | 'dyn';

export interface Output {
  type: OutputType;
  description: string;
}

const outcome: Output = { type: 'string', description: '`succeeded`, `failed` or `skipped`' };

export const outputs = {
  run: {
    outcome,
    exitCode: { type: 'int', description: 'The exit code' },
    stdout: { type: 'string', description: 'Standard output, without the line break at its end' },
    stderr: { type: 'string', description: 'Standard error, without the line break at its end' },
    durationMs: { type: 'int', description: 'How long the command took, in milliseconds' },
    value: { type: 'dyn', description: 'Standard output as `parse` reads it; only where `parse` is set' },
  },
  check: {
    outcome,
    passed: { type: 'bool', description: 'Whether every command exited with 0' },
    failed: { type: 'list<string>', description: 'The commands that did not' },
  },
  agent: {
    outcome,
    summary: { type: 'string', description: 'What the model says it did' },
    turns: { type: 'int', description: 'Questions that were asked of the model' },
    attempts: { type: 'int', description: 'How often `verify` was tried' },
    inputTokens: { type: 'int', description: 'Tokens that went to the model' },
    outputTokens: { type: 'int', description: 'Tokens that came from the model' },
    costUsd: { type: 'double', description: 'What they cost, in US dollars' },
  },
  prompt: {
    outcome,
    value: { type: 'dyn', description: 'The answer, as its JSON Schema says' },
  },
  edit: {
    outcome,
    path: { type: 'string', description: 'The file' },
    replacements: { type: 'int', description: 'How many places were replaced' },
  },
  each: {
    outcome,
    count: { type: 'int', description: 'Items in the list' },
    succeeded: { type: 'int', description: 'Items whose steps succeeded' },
    failed: { type: 'int', description: 'Items of which a step failed' },
  },
  change: {
    outcome,
    number: { type: 'int', description: 'The number of the change on its forge' },
    url: { type: 'string', description: 'Where a person looks at it' },
    branch: { type: 'string', description: 'Its branch' },
    commit: { type: 'string', description: 'Its commit' },
  },
  ci: {
    outcome,
    passed: { type: 'bool', description: 'Whether every check of the forge passed' },
    rounds: { type: 'int', description: 'How often CI was waited for' },
  },
  approve: {
    outcome,
    decision: { type: 'string', description: '`approve` or `reject`' },
    by: { type: 'string', description: 'Who decided; empty where the deadline did' },
    comment: { type: 'string', description: 'What they said' },
  },
  end: {},
} as const satisfies Record<StepKind, Record<string, Output>>;

/** The roots of a scope that every expression can read, beside `inputs`, `steps` and the item of an `each`. */
export const roots: Record<string, Record<string, OutputType>> = {
  run: { id: 'string', url: 'string' },
  repository: { name: 'string', branch: 'string', commit: 'string' },
  evidence: { summary: 'string' },
};

/** The paths of a scope whose numbers are doubles though they may be whole; for the `doubles` of an evaluation. */
export function doublePaths(blueprint: NamedBlueprint): Set<string> {
  const inputs = Object.entries(blueprint.inputs ?? {}).flatMap(([name, { type }]) =>
    type === 'number' ? [`inputs.${name}`] : [],
  );
  const costs = allSteps(blueprint.steps).flatMap((step) => ('agent' in step ? [`steps.${step.id}.costUsd`] : []));
  return new Set([...inputs, ...costs]);
}

/** Whether a name is a root of every scope. */
export function isRoot(name: string): boolean {
  return name === 'inputs' || name === 'steps' || Object.hasOwn(roots, name);
}

/** The outputs that one step has, by name. */
export function outputsOf(kind: StepKind, step: Step | undefined): Record<string, Output> {
  const all: Record<string, Output> = { ...outputs[kind] };
  if (!step || !('run' in step)) return all;
  if (step.parse === undefined) delete all.value;
  if (step.parse === 'lines') all.value = { ...outputs.run.value, type: 'list<string>' };
  return all;
}
