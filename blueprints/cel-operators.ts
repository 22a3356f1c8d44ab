/** The operators of the expression language, over values. Those that don't always need both values are in cel-evaluate.ts. */
import { integer } from './cel-functions.ts';
import { type CelNode, ExpressionFailed } from './cel-parse.ts';
import { type CelValue, compareTexts, equal, type Meter, toKey, typeName } from './cel-values.ts';

/** @throws ExpressionFailed with the node's place */
export function fail(node: CelNode, message: string): never {
  throw new ExpressionFailed('expression-failed', message, node.range);
}

export function negate(value: CelValue, node: CelNode): CelValue {
  if (typeof value === 'bigint') return integer(-value);
  return typeof value === 'number' ? -value : fail(node, `\`-\` takes a number, not ${typeName(value)}`);
}

type BinaryNode = CelNode & { op: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%' };

/** The value of an operator on two values. @throws ExpressionFailed */
export function binary(node: BinaryNode, left: CelValue, right: CelValue, meter: Meter): CelValue {
  if (node.op === '==') return equal(left, right, meter);
  if (node.op === '!=') return !equal(left, right, meter);
  if (node.op === 'in') return contains(node, left, right, meter);
  if (node.op === '<' || node.op === '<=' || node.op === '>' || node.op === '>=')
    return compare(node, left, right, meter);
  return arithmetic(node, left, right, meter);
}

function contains(node: CelNode, item: CelValue, collection: CelValue, meter: Meter): boolean {
  if (Array.isArray(collection)) return collection.some((one) => equal(item, one, meter));
  if (collection instanceof Map) {
    const key = toKey(item);
    return key !== undefined && collection.has(key);
  }
  return fail(node, `\`in\` needs a list or a map, not ${typeName(collection)}`);
}

function compare(node: CelNode, left: CelValue, right: CelValue, meter: Meter): boolean {
  const order = orderOf(left, right, meter);
  if (order === undefined) return fail(node, `\`${node.op}\` can't compare ${typeName(left)} with ${typeName(right)}`);
  if (node.op === '<') return order < 0;
  if (node.op === '<=') return order <= 0;
  return node.op === '>' ? order > 0 : order >= 0;
}

/** Less than 0 if the left value is smaller; NaN if neither is, as with CEL's own NaN; undefined for other types. */
function orderOf(left: CelValue, right: CelValue, meter: Meter): number | undefined {
  if (typeof left === 'string' && typeof right === 'string') {
    meter.spend(Math.min(left.length, right.length));
    return compareTexts(left, right);
  }
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (!isNumber(left) || !isNumber(right)) return undefined;
  if (typeof left === 'bigint' && typeof right === 'bigint') return Number(left > right) - Number(left < right);
  // Between an integer and a double, CEL compares doubles, as it does for equality.
  const [a, b] = [Number(left), Number(right)];
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  return Number(a > b) - Number(a < b);
}

function isNumber(value: CelValue): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

function arithmetic(node: CelNode, left: CelValue, right: CelValue, meter: Meter): CelValue {
  if (node.op === '+' && typeof left === 'string' && typeof right === 'string') {
    meter.spend(left.length + right.length);
    return left + right;
  }
  if (node.op === '+' && Array.isArray(left) && Array.isArray(right)) {
    meter.spend(left.length + right.length);
    return [...left, ...right];
  }
  if (!isNumber(left) || !isNumber(right))
    return fail(
      node,
      `\`${node.op}\` takes two numbers, strings or lists, not ${typeName(left)} and ${typeName(right)}`,
    );
  if (typeof left === 'bigint' && typeof right === 'bigint') return integer(whole(node, left, right));
  const [a, b] = [Number(left), Number(right)];
  if (node.op === '+') return a + b;
  if (node.op === '-') return a - b;
  if (node.op === '*') return a * b;
  return node.op === '/' ? a / b : fail(node, '`%` takes two ints');
}

function whole(node: CelNode, left: bigint, right: bigint): bigint {
  if (node.op === '+') return left + right;
  if (node.op === '-') return left - right;
  if (node.op === '*') return left * right;
  if (right === 0n) return fail(node, 'division by zero');
  return node.op === '/' ? left / right : left % right;
}
