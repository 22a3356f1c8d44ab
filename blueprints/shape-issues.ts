/** Says in plain words what zod found, with the place in the text. */
import { z } from 'zod';
import type { KeyPath } from './issues.ts';
import type { Json } from '../base/json.ts';
import { findNearest } from './nearest.ts';
import { maxIssues, type Report } from './report.ts';

type ZodIssue = z.core.$ZodIssue;

/** Reports every problem of a value at `base`. */
export function reportShape(
  report: Report,
  base: KeyPath,
  schema: z.ZodType,
  value: Json,
  issues: readonly ZodIssue[],
): void {
  for (const issue of issues) {
    if (report.isFull()) return;
    const path = [...base, ...keyPath(issue)];
    const name =
      issue.path.length > 0
        ? `\`${String(issue.path.findLast((key) => typeof key === 'string') ?? path.at(-1))}\``
        : 'this';
    const found = valueAt(value, issue.path);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys.slice(0, maxIssues))
        reportUnknownKey(report, [...path, key], keysAt(schema, issue.path), valueAt(value, [...issue.path, key]));
    } else if (issue.code === 'invalid_union') {
      reportUnion(report, { base, schema, value, issue, name, path });
    } else if (issue.code === 'invalid_key') {
      report.addKey(path, 'wrong-value', `${name} can't be a name here: ${issue.issues[0]?.message ?? issue.message}`);
    } else if (found === undefined) {
      report.add(path, 'missing-key', `${name} is missing`);
    } else {
      reportValue(report, { path, name, issue, found });
    }
  }
}

export function keyPath({ path }: ZodIssue): KeyPath {
  return path.map((key) => (typeof key === 'symbol' ? String(key) : key));
}

export function unknownKey(key: string): string {
  return `\`${key}\` is not a key that can be used here`;
}

function reportUnknownKey(report: Report, path: KeyPath, known: string[], value: Json | undefined): void {
  const key = String(path.at(-1));
  const nearest = findNearest(key, known);
  // In `{ title: Rename a, b }`, YAML reads `b` as a key without a value.
  const keys = `the keys here are: ${known.join(', ')}${value === null ? `; ${quoteComma}` : ''}`;
  const hint = nearest === undefined ? keys : `did you mean \`${nearest}\`?`;
  report.addKey(path, 'unknown-key', unknownKey(key), known.length > 0 ? hint : undefined);
}

const quoteComma = 'if it is part of a text with a comma, put quotes around the text';
const quoteColon = 'in YAML, a colon and a space make a key: put quotes around a text that holds them';

function depth(branch: readonly ZodIssue[]): number {
  return Math.max(...branch.map(({ path }) => path.length));
}

interface UnionPlace {
  base: KeyPath;
  schema: z.ZodType;
  value: Json;
  issue: ZodIssue & { code: 'invalid_union' };
  name: string;
  path: KeyPath;
}

/** Reports the problem of a union: that of the branch which got furthest into the value, or the type if none did. */
function reportUnion(report: Report, { base, schema, value, issue, name, path }: UnionPlace): void {
  const sameType = issue.errors.filter((branch) =>
    branch.every((one) => one.code !== 'invalid_type' || one.path.length > 0),
  );
  const best = sameType.toSorted((a, b) => depth(b) - depth(a))[0];
  const found = valueAt(value, issue.path);
  if (best) {
    reportShape(
      report,
      base,
      schema,
      value,
      best.map((one) => ({ ...one, path: [...issue.path, ...one.path] })),
    );
  } else if (found === undefined) {
    report.add(path, 'missing-key', `${name} is missing`);
  } else {
    const expected = issue.errors
      .flat()
      .flatMap((one) => (one.code === 'invalid_type' ? [withArticle(one.expected)] : []));
    const message = `${name} must be ${[...new Set(expected)].join(' or ')}, not ${describe(found)}`;
    report.add(path, 'wrong-type', message, quoteHint(expected, found));
  }
}

function reportValue(
  report: Report,
  { path, name, issue, found }: { path: KeyPath; name: string; issue: ZodIssue; found: Json },
): void {
  if (issue.code === 'invalid_type') {
    const expected =
      issue.expected === 'number' && typeof found === 'number' ? 'a finite number' : withArticle(issue.expected);
    const isOurs = !issue.message.startsWith('Invalid input');
    report.add(
      path,
      'wrong-type',
      isOurs ? `${name}: ${issue.message}` : `${name} must be ${expected}, not ${describe(found)}`,
      isOurs ? undefined : quoteHint([expected], found),
    );
  } else if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const nearest = typeof found === 'string' ? findNearest(found, values) : undefined;
    report.add(
      path,
      'wrong-value',
      `${name} must be ${values.map((value) => `\`${value}\``).join(' or ')}`,
      nearest === undefined ? undefined : `did you mean \`${nearest}\`?`,
    );
  } else if (issue.code === 'too_small' || issue.code === 'too_big') {
    report.add(path, 'wrong-value', `${name} ${boundText(issue, found)}`);
  } else {
    report.add(
      path,
      'wrong-value',
      issue.message.startsWith('Invalid') ? `${name} has the wrong form` : `${name}: ${issue.message}`,
    );
  }
}

/** What a text that YAML read as something else needs. */
function quoteHint(expected: string[], found: Json): string | undefined {
  if (!expected.includes('a string') || found === null || Array.isArray(found)) return undefined;
  if (typeof found === 'object') return quoteColon;
  return `put quotes around it: "${String(found)}"`;
}

function boundText(issue: ZodIssue & { code: 'too_small' | 'too_big' }, found: Json): string {
  if (issue.code === 'too_small' && found === '') return 'must not be empty';
  const small = (minimum: number | bigint): string => `${issue.inclusive ? 'at least' : 'more than'} ${minimum}`;
  const big = (maximum: number | bigint): string => `${issue.inclusive ? 'at most' : 'less than'} ${maximum}`;
  const bound = issue.code === 'too_small' ? small(issue.minimum) : big(issue.maximum);
  if (typeof found === 'number') return `must be ${bound}`;
  return `must have ${bound} ${typeof found === 'string' ? 'characters' : 'items'}`;
}

/** The value at a path; undefined if the path leads nowhere. */
export function valueAt(value: Json, path: readonly PropertyKey[]): Json | undefined {
  let current: Json | undefined = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = Array.isArray(current) ? current[Number(key)] : current[String(key)];
  }
  return current;
}

/** The keys that a schema knows at a path. */
export function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  const [key, ...rest] = path;
  if (key === undefined) return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  if (schema instanceof z.ZodObject) return keysAt((schema.shape as Record<PropertyKey, unknown>)[key], rest);
  if (schema instanceof z.ZodArray) return keysAt(schema.element, rest);
  return schema instanceof z.ZodRecord ? keysAt(schema.valueType, rest) : [];
}

const names: Record<string, string> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  int: 'a whole number',
  boolean: 'true or false',
};

function withArticle(type: string): string {
  return names[type] ?? `a ${type}`;
}

/** What a value is, in words for a message. */
export function describe(value: Json): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return typeof value === 'boolean' ? 'true or false' : `a ${typeof value}`;
}
