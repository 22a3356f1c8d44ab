/**
 * CEL's values and their conversion from and to JSON. Integers are bigint, doubles are number, maps are Map, so no
 * prototype is ever read.
 */
import { ExpressionFailed } from './cel-parse.ts';
import type { Json } from '../base/json.ts';

export type CelValue = null | boolean | bigint | number | string | CelValue[] | Map<string, CelValue>;

/** Counts the work of one evaluation. A node, an element and a character of new text cost one unit each. */
export class Meter {
  private left = 1_000_000;
  /** @throws ExpressionFailed `expression-too-costly` */
  spend(amount: number): void {
    this.left -= amount;
    if (this.left < 0)
      throw new ExpressionFailed(
        'expression-too-costly',
        'the expression does more work, or makes a larger value, than is allowed',
      );
  }
}

/**
 * Converts JSON to a CEL value. A whole number becomes an integer, unless `double` says that its place holds doubles.
 */
export function fromJson(json: Json, meter: Meter, double = false): CelValue {
  meter.spend(1);
  if (typeof json === 'number') return !double && Number.isSafeInteger(json) ? BigInt(json) : json;
  if (Array.isArray(json)) return json.map((item) => fromJson(item, meter));
  if (typeof json === 'object' && json !== null)
    return new Map(Object.entries(json).map(([key, value]) => [key, fromJson(value, meter)]));
  return json;
}

/** Converts a CEL value to JSON. @throws ExpressionFailed if JSON can't hold a number, or the result is too large. */
export function toJson(value: CelValue, meter: Meter): Json {
  meter.spend(typeof value === 'string' ? value.length : 1);
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      throw new ExpressionFailed('expression-failed', `the integer ${value} is too large for a result`);
    return number;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw new ExpressionFailed('expression-failed', `the result is ${value}, which is not a finite number`);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => toJson(item, meter));
  if (value instanceof Map) {
    // fromEntries defines own properties, so a key such as __proto__ stays plain data.
    return Object.fromEntries([...value].map(([key, item]): [string, Json] => [key, toJson(item, meter)]));
  }
  return value;
}

/** Equality as CEL defines it: by value, and between integers and doubles by number. */
export function equal(left: CelValue, right: CelValue, meter: Meter): boolean {
  meter.spend(1);
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => equal(item, right[index] ?? null, meter))
    );
  }
  if (left instanceof Map) {
    if (!(right instanceof Map) || left.size !== right.size) return false;
    return [...left].every(([key, item]) => right.has(key) && equal(item, right.get(key) ?? null, meter));
  }
  // Comparing a bigint with a number compares their mathematical values, as intended.
  if (typeof left === 'bigint' && typeof right === 'number') return Number(left) === right;
  if (typeof left === 'number' && typeof right === 'bigint') return left === Number(right);
  return left === right;
}

/** CEL's name for the type of a value, for messages. */
export function typeName(value: CelValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Map) return 'map';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  return typeof value === 'number' ? 'double' : 'string';
}
