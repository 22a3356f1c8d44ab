/**
 * Expressions and templates over a run's values. This file is part of the workflow bundle, so it is pure, synchronous
 * and deterministic. Every failure is an {@link ExpressionFailed}.
 *
 * The roots of a scope are `inputs`, `steps`, `run`, `repository`, `evidence`, and the variable of an `each` step.
 */
import { type EvaluateOptions, Evaluation, type Variables } from './cel-evaluate.ts';
import { type CelNode, children, ExpressionFailed, macros, parseExpression } from './cel-parse.ts';
import { type Doubles, doublesAt, toJson } from './cel-values.ts';
import type { Json } from '../base/json.ts';
import { parseTemplate } from './template.ts';

export { ExpressionFailed } from './cel-parse.ts';
export type { EvaluateOptions, Variables } from './cel-evaluate.ts';

/** The most characters of a rendered template. */
const maxRenderedLength = 262_144;

/** @throws ExpressionFailed */
export function evaluateExpression(source: string, variables: Variables, options: EvaluateOptions = {}): Json {
  const { ast } = parseExpression(source);
  const evaluation = new Evaluation(variables, options);
  try {
    return toJson(evaluation.evaluate(ast), evaluation.meter);
  } catch (error) {
    if (error instanceof RangeError)
      throw new ExpressionFailed('expression-too-costly', 'a value is nested too deeply');
    throw error;
  }
}

/** @throws ExpressionFailed, also if the result is not a bool. */
export function evaluateCondition(
  condition: string | boolean,
  variables: Variables,
  options: EvaluateOptions = {},
): boolean {
  if (typeof condition === 'boolean') return condition;
  const result = evaluateExpression(condition, variables, options);
  if (typeof result === 'boolean') return result;
  throw new ExpressionFailed(
    'expression-failed',
    `a condition must be true or false; this one is ${describe(result)}`,
    {
      start: 0,
      end: condition.length,
    },
  );
}

/**
 * Renders a template. Exactly one `${{ }}` gives its value; anything else gives text, with lists and maps as JSON. A
 * result is never evaluated again, whatever it holds. @throws ExpressionFailed
 */
export function renderTemplate(template: string, variables: Variables, options: EvaluateOptions = {}): Json {
  const parts = parseTemplate(template);
  const [first] = parts;
  if (parts.length === 1 && first && 'source' in first) return evaluateExpression(first.source, variables, options);
  let text = '';
  for (const part of parts) {
    text += 'text' in part ? part.text : asText(evaluateExpression(part.source, variables, options));
    if (text.length > maxRenderedLength)
      throw new ExpressionFailed(
        'expression-too-costly',
        `a rendered text has at most ${maxRenderedLength} characters`,
      );
  }
  return text;
}

/** Like {@link renderTemplate}, but always gives text. @throws ExpressionFailed */
export function renderText(template: string, variables: Variables, options: EvaluateOptions = {}): string {
  return asText(renderTemplate(template, variables, options));
}

/** The doubles in each item of the list that a template gives, if it reads the list from one place as it is there. */
export function doublesOfItems(template: string, doubles: Doubles): Doubles | undefined {
  const [part] = parseTemplate(template);
  const path = part && 'source' in part ? memberPath(parseExpression(part.source).ast) : undefined;
  return path && [...path, '*'].reduce<Doubles | undefined>(doublesAt, doubles);
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function describe(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

/**
 * A chain of members that an expression reads, such as `['steps', 'survey', 'stdout']`, as far as it is known without
 * evaluating.
 */
export interface Reference {
  path: string[];
  /** Where the chain starts in the expression's source. `length` is its length there. */
  offset: number;
  length: number;
}

/** Every chain of members in a parsed expression, except variables of macros. */
export function findReferences({ ast }: { ast: CelNode }): Reference[] {
  const found: Reference[] = [];
  collect(ast, new Set(), found);
  return found;
}

function collect(node: CelNode, locals: ReadonlySet<string>, found: Reference[]): void {
  const path = memberPath(node);
  if (path) {
    if (!locals.has(path[0] ?? '')) found.push({ path, offset: node.start, length: node.end - node.start });
    return;
  }
  if (node.op === 'rcall' && macros.has(node.args[0])) {
    const [variable, ...rest] = node.args[2];
    collect(node.args[1], locals, found);
    const inner = variable?.op === 'id' ? new Set([...locals, variable.args]) : locals;
    for (const child of rest) collect(child, inner, found);
    return;
  }
  for (const child of children(node)) collect(child, locals, found);
}

/** The chain of members that a node stands for, or undefined. An index by a string counts as a member. */
function memberPath(node: CelNode): string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const base = memberPath(node.args[0]);
  if (!base) return undefined;
  if (node.op === '.') return [...base, node.args[1]];
  const index = node.args[1];
  return index.op === 'value' && typeof index.args === 'string' ? [...base, index.args] : undefined;
}
