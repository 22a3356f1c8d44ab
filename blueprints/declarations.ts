/** Declares what a blueprint's expressions can read, with types, for the static check. */
import type { Environment, ParseResult } from '@marcbachmann/cel-js';
import { celEnvironment, parseExpression } from './cel-parse.ts';
import type { OutputType } from './kinds/kind.ts';
import { kinds, type StepKind } from './kinds/kinds.ts';
import { isRoot, roots } from './outputs.ts';
import type { Input, Step } from './schema.ts';
import type { KnownInputs } from './shape.ts';

const inputTypes: Record<Input['type'], OutputType> = {
  string: 'string',
  integer: 'int',
  number: 'double',
  boolean: 'bool',
  list: 'list<string>',
};

/** What is the same for all blueprints. It is made once, because making it is most of the cost of a check. */
const base: Environment = (() => {
  const environment = celEnvironment.clone();
  const register = (name: string, table: Record<string, { type: string }>): void => {
    environment.registerType({
      name,
      fields: Object.fromEntries(Object.entries(table).map(([key, { type }]) => [key, type])),
    });
  };
  for (const [kind, { outputs, variants }] of Object.entries(kinds)) {
    register(`${kind} step`, outputs);
    for (const { typeName, outputs } of variants ?? []) if (typeName !== undefined) register(typeName, outputs);
  }
  for (const [name, fields] of Object.entries(roots)) environment.registerVariable(name, { schema: fields });
  return environment;
})();

/** What is known of a step. If `kind` is undefined, its outputs may have any name and type. */
export interface DeclaredStep {
  kind?: StepKind | undefined;
  step?: Step | undefined;
}

/**
 * Declares the roots of a scope. If `inputs` is undefined, any input may be read. `variables` are the variables of
 * blocks.
 */
export function declare(
  inputs: KnownInputs | undefined,
  steps: ReadonlyMap<string, DeclaredStep>,
  variables: Iterable<string>,
): Environment {
  const environment = base.clone();
  environment.registerVariable(
    'inputs',
    inputs
      ? typeOf(
          environment,
          'inputs',
          Object.entries(inputs).map(([name, input]) => [name, input ? inputTypes[input.type] : 'dyn']),
        )
      : 'dyn',
  );
  environment.registerVariable(
    'steps',
    typeOf(
      environment,
      'steps',
      [...steps].map(([id, declared]) => [id, stepType(declared)]),
    ),
  );
  for (const name of new Set(variables)) if (isFreeName(name)) environment.registerVariable(name, 'dyn');
  return environment;
}

function typeOf(environment: Environment, name: string, fields: [string, string][]): string {
  // A constructor is given so that the library doesn't make one that converts values, which would take a good part of a
  // check.
  environment.registerType({ name, fields: Object.fromEntries(fields), ctor: () => undefined });
  return name;
}

function stepType({ kind, step }: DeclaredStep): string {
  if (kind === undefined) return 'dyn';
  return (step && kinds[kind].variantOf?.(step)?.typeName) ?? `${kind} step`;
}

/** Whether a name can be declared: it is neither a root nor a reserved word of CEL. */
export function isFreeName(name: string): boolean {
  try {
    base.clone().registerVariable(name, 'dyn');
    if (isRoot(name)) return false;
    return parseExpression(name).ast.op === 'id';
  } catch {
    return false;
  }
}

/** A problem in an expression. `offset` and `length` are positions in its source. */
export interface ExpressionProblem {
  code: 'expression-type';
  message: string;
  offset: number;
  length: number;
}

/** Checks the types of one expression, as far as they are known before a run. Never throws. */
export function checkTypes(source: string, parsed: ParseResult, expected?: 'bool' | 'list'): ExpressionProblem[] {
  const { valid, type, error } = parsed.check();
  if (!valid) {
    const range = error?.range ?? { start: 0, end: source.length };
    return [
      {
        code: 'expression-type',
        message: readable(error?.summary ?? 'the types do not match'),
        offset: range.start,
        length: range.end - range.start,
      },
    ];
  }
  const found = type?.replace(/<.*$/s, '');
  if (expected === undefined || found === expected || found === 'dyn') return [];
  const wanted = expected === 'bool' ? 'a condition must be a bool' : 'a list is needed here';
  return [{ code: 'expression-type', message: `${wanted}; this is ${type}`, offset: 0, length: source.length }];
}

function readable(summary: string): string {
  return summary
    .replace(/^no such overload: /, 'the types do not match: ')
    .replace(/^found no matching overload for /, 'the types do not match: ')
    .replace(/^No such key: (.*)$/, 'there is no `$1`')
    .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}
