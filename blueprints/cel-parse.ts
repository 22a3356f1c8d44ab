/**
 * Parses a CEL expression with `@marcbachmann/cel-js` and checks it against what this language allows.
 *
 * The library parses and checks types; it does not evaluate here (see cel-evaluate.ts for the reason). Syntax,
 * functions and sizes that are not on the allow-lists are refused before anything else looks at the tree.
 */
import { type ASTNode, Environment, ParseError, type ParseResult } from '@marcbachmann/cel-js';
import { JigError, type ErrorCode } from '../base/errors.ts';

export type CelNode = ASTNode;

/**
 * An expression that can't be parsed or evaluated. `offset` and `length` give the place in its source, if it is known.
 */
export class ExpressionFailed extends JigError {
  override name = 'ExpressionFailed';
  readonly offset: number;
  readonly length: number;
  constructor(code: ErrorCode, message: string, place: { start: number; end: number } = { start: 0, end: 0 }) {
    super(code, message);
    this.offset = place.start;
    this.length = Math.max(0, place.end - place.start);
  }
}

const maxExpressionLength = 4096;

/** Structural limits of one expression. */
const limits = { maxAstNodes: 512, maxDepth: 32, maxListElements: 128, maxMapEntries: 64, maxCallArguments: 4 };

/** The library's base environment. It declares no variables. */
export const celEnvironment = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits,
});

/** Functions that are called by name, each with the numbers of arguments that it may have. */
const functions: Record<string, number[]> = { size: [1], string: [1], int: [1], double: [1], bool: [1], has: [1] };

/** Functions that are called on a value, each with the numbers of arguments that it may have. */
const methods: Record<string, number[]> = {
  size: [0],
  contains: [1],
  startsWith: [1],
  endsWith: [1],
  trim: [0],
  lowerAscii: [0],
  upperAscii: [0],
  split: [1],
  join: [0, 1],
  indexOf: [1],
  lastIndexOf: [1],
  substring: [1, 2],
  map: [2, 3],
  filter: [2],
  exists: [2],
  exists_one: [2],
  all: [2],
};

/** Methods whose first argument names a variable for their other arguments. */
export const macros: ReadonlySet<string> = new Set(['map', 'filter', 'exists', 'exists_one', 'all']);

export const functionNames: readonly string[] = Object.keys(functions);
export const methodNames: readonly string[] = Object.keys(methods);

/** @throws ExpressionFailed `expression-invalid`, with the place. */
export function parseExpression(source: string, environment: Environment = celEnvironment): ParseResult {
  if (source.length > maxExpressionLength) {
    throw new ExpressionFailed(
      'expression-invalid',
      `an expression has at most ${maxExpressionLength} characters; this one has ${source.length}`,
    );
  }
  let parsed: ParseResult;
  try {
    parsed = environment.parse(source);
  } catch (error) {
    throw readable(error, source);
  }
  refuseForeign(parsed.ast);
  return parsed;
}

function readable(error: unknown, source: string): ExpressionFailed {
  if (error instanceof ParseError) {
    const place = error.range ?? { start: 0, end: source.length };
    return new ExpressionFailed(
      'expression-invalid',
      error.summary
        .replace(/, got EOF$/, ', but the expression ends')
        .replace('Unexpected token: EOF', 'the expression ends too early'),
      place,
    );
  }
  return new ExpressionFailed('expression-invalid', 'the expression is nested too deeply', {
    start: 0,
    end: source.length,
  });
}

const largestInteger = 2n ** 63n - 1n;

/** `isNegated`: whether a minus stands before the node. There is one more negative integer than positive ones. */
function refuseForeign(node: CelNode, isNegated = false): void {
  if (node.op === 'value' && typeof node.args === 'bigint' && node.args > largestInteger + (isNegated ? 1n : 0n))
    throw new ExpressionFailed('expression-invalid', `the integer ${node.args} is larger than 64 bits`, node.range);
  if (node.op === 'value' && typeof node.args === 'object' && node.args !== null) {
    throw new ExpressionFailed(
      'expression-invalid',
      'bytes and unsigned integers are not part of this language',
      node.range,
    );
  }
  if (node.op === '.?' || node.op === '[?]')
    throw new ExpressionFailed(
      'expression-invalid',
      'optional access is not part of this language; use has()',
      node.range,
    );
  if (node.op === 'call') refuseUnknown(functions, node.args[0], node.args[1].length, node);
  if (node.op === 'rcall') refuseUnknown(methods, node.args[0], node.args[2].length, node);
  for (const child of children(node)) refuseForeign(child, node.op === '-_');
}

function refuseUnknown(allowed: Record<string, number[]>, name: string, count: number, node: CelNode): void {
  const counts = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
  if (!counts)
    throw new ExpressionFailed('expression-invalid', `\`${name}()\` is not a function of this language`, node.range);
  if (!counts.includes(count)) {
    throw new ExpressionFailed(
      'expression-invalid',
      `\`${name}()\` takes ${counts.join(' or ')} ${counts.length === 1 && counts[0] === 1 ? 'argument' : 'arguments'}, not ${count}`,
      node.range,
    );
  }
}

/** The direct children of a node, in source order. */
export function children(node: CelNode): CelNode[] {
  if (node.op === 'value' || node.op === 'id') return [];
  if (node.op === '.' || node.op === '.?') return [node.args[0]];
  if (node.op === 'call') return node.args[1];
  if (node.op === 'rcall') return [node.args[1], ...node.args[2]];
  if (node.op === 'map') return node.args.flat();
  if (node.op === '!_' || node.op === '-_') return [node.args];
  return [...node.args];
}
