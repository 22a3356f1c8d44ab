/** The functions of the expression language, over values. Macros, which need the syntax tree, are in cel-evaluate.ts. */
import { ExpressionFailed } from './cel-parse.ts';
import { type CelValue, type Meter, typeName } from './cel-values.ts';

type Call = (target: CelValue, args: CelValue[], meter: Meter) => CelValue;

function fail(message: string): never {
  throw new ExpressionFailed('expression-failed', message);
}

function text(value: CelValue | undefined, what: string): string {
  return typeof value === 'string' ? value : fail(`${what} must be a string, not ${typeName(value ?? null)}`);
}

function index(value: CelValue | undefined, length: number): number {
  if (typeof value !== 'bigint') fail(`an index must be an int, not ${typeName(value ?? null)}`);
  if (value < 0n || value > BigInt(length)) fail(`the index ${value} is outside a text of ${length} characters`);
  return Number(value);
}

function size(value: CelValue, _: CelValue[], meter: Meter): bigint {
  if (typeof value === 'string') {
    meter.spend(value.length);
    return BigInt(Array.from(value).length);
  }
  if (Array.isArray(value)) return BigInt(value.length);
  if (value instanceof Map) return BigInt(value.size);
  return fail(`size() takes a string, a list or a map, not ${typeName(value)}`);
}

function toText(value: CelValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number') return String(value);
  return fail(`string() takes a string, a number or a bool, not ${typeName(value)}`);
}

function toInteger(value: CelValue): bigint {
  if (typeof value === 'bigint') return value;
  // Doubles at the edge of the range are refused too, since they may have been rounded.
  if (typeof value === 'number' && Math.abs(value) < 2 ** 63) return BigInt(Math.trunc(value));
  if (typeof value === 'string' && /^-?[0-9]{1,19}$/.test(value)) return integer(BigInt(value));
  return fail(`int() can't read ${typeof value === 'string' ? 'this text' : typeName(value)} as a whole number`);
}

function toDouble(value: CelValue): number {
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value);
  if (typeof value === 'string' && /^-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?$/.test(value))
    return Number(value);
  return fail(`double() can't read ${typeof value === 'string' ? 'this text' : typeName(value)} as a number`);
}

const truths = new Map([
  ...['1', 't', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

function toBoolean(value: CelValue): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && truths.has(value)) return truths.get(value) === true;
  return fail("bool() takes a bool, or a text such as 'true' or 'false'");
}

function join(target: CelValue, [separator = '']: CelValue[], meter: Meter): string {
  if (!Array.isArray(target)) return fail(`join() is called on a list, not ${typeName(target)}`);
  const between = text(separator, 'the separator of join()');
  const parts = target.map((item) => text(item, 'each element for join()'));
  meter.spend(parts.reduce((sum, part) => sum + part.length + between.length, 0));
  return parts.join(between);
}

/** A string method that reads the whole text once and makes no longer one. */
function onText(name: string, apply: (target: string, args: CelValue[]) => CelValue): Call {
  return (target, args, meter) => {
    const value = text(target, `the value that ${name}() is called on`);
    meter.spend(value.length);
    return apply(value, args);
  };
}

function onTexts(name: string, apply: (target: string, argument: string) => CelValue): Call {
  return onText(name, (target, [argument]) => apply(target, text(argument, `the argument of ${name}()`)));
}

/** Positions count characters (code points), as size() does, and never stand inside of one. */
function characterIndex(target: string, at: number): bigint {
  return BigInt(at < 0 ? at : Array.from(target.slice(0, at)).length);
}

function substring(target: string, [from, to]: CelValue[]): string {
  const characters = Array.from(target);
  const start = index(from, characters.length);
  const end = to === undefined ? characters.length : index(to, characters.length);
  if (end < start) fail(`substring() can't end at ${end}, before its start at ${start}`);
  return characters.slice(start, end).join('');
}

/** What Unicode has as white space; JavaScript's own `trim` takes one more character and leaves one. */
const whiteSpace = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

function trim(target: string): string {
  let from = 0;
  let to = target.length;
  while (from < to && whiteSpace.test(target[from] ?? '')) from++;
  while (to > from && whiteSpace.test(target[to - 1] ?? '')) to--;
  return target.slice(from, to);
}

/** 64 bits, as everywhere in CEL. */
export function integer(value: bigint): bigint {
  return BigInt.asIntN(64, value) === value ? value : fail('an integer is larger than 64 bits');
}

export const functionTable = new Map<string, Call>([
  ['size', size],
  ['string', toText],
  ['int', toInteger],
  ['double', toDouble],
  ['bool', toBoolean],
]);

export const methodTable = new Map<string, Call>([
  ['size', size],
  ['join', join],
  ['contains', onTexts('contains', (target, part) => target.includes(part))],
  ['startsWith', onTexts('startsWith', (target, part) => target.startsWith(part))],
  ['endsWith', onTexts('endsWith', (target, part) => target.endsWith(part))],
  ['indexOf', onTexts('indexOf', (target, part) => characterIndex(target, target.indexOf(part)))],
  ['lastIndexOf', onTexts('lastIndexOf', (target, part) => characterIndex(target, target.lastIndexOf(part)))],
  ['split', onTexts('split', (target, separator) => (separator === '' ? Array.from(target) : target.split(separator)))],
  ['trim', onText('trim', trim)],
  ['lowerAscii', onText('lowerAscii', (target) => target.replaceAll(/[A-Z]+/g, (part) => part.toLowerCase()))],
  ['upperAscii', onText('upperAscii', (target) => target.replaceAll(/[a-z]+/g, (part) => part.toUpperCase()))],
  ['substring', onText('substring', substring)],
]);
