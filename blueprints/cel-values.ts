/**
 * CEL's values and their conversion from and to JSON. Integers are bigint, doubles are number, maps are Map, so no
 * prototype is ever read.
 */
import { ExpressionFailed } from './cel-parse.ts';
import type { Json } from '../base/json.ts';

export type CelValue = null | boolean | bigint | number | string | CelValue[] | CelMap;
export type CelKey = string | bigint | boolean;
type CelMap = Map<CelKey, CelValue>;

/**
 * The places of a JSON value that hold doubles, even where their numbers are whole: the value itself, or the members of
 * a map and the items of a list (`*` stands for all others).
 */
export type Doubles = true | ReadonlyMap<string, Doubles>;

/** The doubles among the members of a place. */
export function doublesAt(doubles: Doubles | undefined, key: string): Doubles | undefined {
  return doubles === undefined || doubles === true ? undefined : (doubles.get(key) ?? doubles.get('*'));
}

/** Counts the work of one evaluation. A node, an element and a character of new text cost one unit each. */
export class Meter {
  private left: number;
  constructor(units = 1_000_000) {
    this.left = units;
  }
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

/** Converts JSON to a CEL value. A whole number becomes an integer, unless its place holds doubles. */
export function fromJson(json: Json, meter: Meter, doubles?: Doubles): CelValue {
  meter.spend(1);
  if (typeof json === 'number') return doubles !== true && Number.isSafeInteger(json) ? BigInt(json) : json;
  if (Array.isArray(json)) {
    const items = doublesAt(doubles, '*');
    return json.map((item) => fromJson(item, meter, items));
  }
  if (typeof json === 'object' && json !== null)
    return new Map(Object.entries(json).map(([key, value]) => [key, fromJson(value, meter, doublesAt(doubles, key))]));
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
    const names = new Set([...value.keys()].map(String));
    if (names.size < value.size)
      throw new ExpressionFailed('expression-failed', 'two keys of a map in the result are the same text');
    // fromEntries defines own properties, so a key such as __proto__ stays plain data.
    return Object.fromEntries([...value].map(([key, item]): [string, Json] => [String(key), toJson(item, meter)]));
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
  if (typeof left === 'bigint' && typeof right === 'number') return Number(left) === right;
  if (typeof left === 'number' && typeof right === 'bigint') return left === Number(right);
  return left === right;
}

/** The key as maps hold it; undefined if a value of this type is no key. A double can be the same key as an integer. */
export function toKey(value: CelValue): CelKey | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean' ? value : undefined;
}

/** Less than 0 if the left text comes first, by code points; JavaScript itself compares UTF-16 units. */
export function compareTexts(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const [a, b] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (a !== b) return byCodePoint(a) - byCodePoint(b);
  }
  return left.length - right.length;
}

/** A UTF-16 unit, moved so that halves of characters beyond U+FFFF come after all others. */
function byCodePoint(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
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
