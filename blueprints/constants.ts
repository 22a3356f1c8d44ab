/** Finds the parts of an expression that read nothing, and fail: they would fail in every run. */
import { Evaluation } from './cel-evaluate.ts';
import { type CelNode, children, ExpressionFailed, macros } from './cel-parse.ts';
import { Meter, toJson } from './cel-values.ts';

/** Enough for what people write out, and little for a check of many expressions. */
const constantCost = 1000;

/** What a node reads: a root (-1), the variable of the macro at this depth, or nothing. The outermost counts. */
type Reads = number;
const nothing = Infinity;

/**
 * The failure of a part that reads nothing, such as a division by zero; undefined if there is none. What takes long isn't
 * tried.
 */
export function findConstantFailure({ ast }: { ast: CelNode }): ExpressionFailed | undefined {
  const found = new Search();
  return found.visit(ast) === nothing ? (found.failure ?? failureOf(ast)) : found.failure;
}

class Search {
  failure: ExpressionFailed | undefined;
  private readonly variables: string[] = [];

  visit(node: CelNode): Reads {
    if (node.op === 'value') return nothing;
    if (node.op === 'id') return this.variables.lastIndexOf(node.args);
    if (node.op === '.' && node.args[0].op === 'id') return this.visit(node.args[0]);
    const isMacro = node.op === 'rcall' && macros.has(node.args[0]);
    const depth = this.variables.length;
    const constants: CelNode[] = [];
    let least: Reads = nothing;
    for (const [index, part] of children(node).entries()) {
      // The second part of a macro names the variable of the parts after it, which is nothing that the macro reads.
      if (isMacro && index === 1) {
        this.variables.push(part.op === 'id' ? part.args : '');
        continue;
      }
      const reads = this.visit(part);
      if (reads === nothing) constants.push(part);
      else if (!isMacro || reads !== depth) least = Math.min(least, reads);
    }
    this.variables.length = depth;
    if (this.failure || least === nothing) return least;
    for (const part of constants) if (part.op !== 'value') this.failure ??= failureOf(part);
    this.failure ??= divisionByZero(node);
    return least;
  }
}

function divisionByZero(node: CelNode): ExpressionFailed | undefined {
  if (node.op !== '/' && node.op !== '%') return undefined;
  const [, divisor] = node.args;
  const isZero = divisor.op === 'value' && divisor.args === 0n;
  return isZero ? new ExpressionFailed('expression-failed', 'division by zero', node.range) : undefined;
}

function failureOf(constant: CelNode): ExpressionFailed | undefined {
  const evaluation = new Evaluation({}, {}, new Map(), new Meter(constantCost));
  try {
    toJson(evaluation.evaluate(constant), evaluation.meter);
  } catch (error) {
    if (error instanceof ExpressionFailed && error.code === 'expression-failed') return error;
  }
  return undefined;
}
