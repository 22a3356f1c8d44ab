/** Reads a value by a schema and reports everything that is wrong with it, also behind a misspelt key. */
import type { z } from 'zod';
import type { KeyPath } from './issues.ts';
import { isJsonMap, type JsonMap } from '../base/json.ts';
import { findNearest } from './nearest.ts';
import { maxIssues, type Report } from './report.ts';
import { keyPath, keysAt, reportShape, unknownKey, valueAt } from './shape-issues.ts';

type ZodIssue = z.core.$ZodIssue;

interface ReadValue<T> {
  /** The value with misspelt keys corrected. */
  value: JsonMap;
  /** The correct part of it, if that satisfies the schema. */
  data: T | undefined;
}

/**
 * Reads a value by a schema. A misspelt key is reported once and then read as the key that was meant, so that other
 * problems are found before it is fixed.
 */
export function readShape<S extends z.ZodType>(
  schema: S,
  value: JsonMap,
  base: KeyPath,
  report: Report,
): ReadValue<z.output<S>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value, data: parsed.data };
  const { issues } = parsed.error;
  const corrected = correctKeys(schema, value, issues, base, report);
  if (corrected) return readShape(schema, corrected, base, report);
  reportShape(report, base, schema, value, issues);
  return { value, data: schema.safeParse(withoutWrong(value, issues)).data };
}

/** The value with misspelt keys corrected; undefined if no unknown key resembles a missing one. */
function correctKeys(
  schema: z.ZodType,
  value: JsonMap,
  issues: readonly ZodIssue[],
  base: KeyPath,
  report: Report,
): JsonMap | undefined {
  if (!issues.some(({ code }) => code === 'unrecognized_keys')) return undefined;
  const corrected = structuredClone(value);
  let isCorrected = false;
  for (const issue of issues) {
    const map = valueAt(corrected, issue.path);
    if (issue.code !== 'unrecognized_keys' || !isJsonMap(map)) continue;
    const known = keysAt(schema, issue.path);
    for (const written of issue.keys.slice(0, maxIssues)) {
      const meant = report.isFull() ? undefined : findNearest(written, known);
      if (meant === undefined || Object.hasOwn(map, meant)) continue;
      report.addMisspelt([...base, ...keyPath(issue)], { written, meant }, 'unknown-key', unknownKey(written));
      renameKey(map, written, meant);
      isCorrected = true;
    }
  }
  return isCorrected ? corrected : undefined;
}

function renameKey(map: JsonMap, written: string, meant: string): void {
  map[meant] = map[written] ?? null;
  delete map[written];
}

/**
 * The value without its wrong parts, so that the rest can be checked. A list is kept or left out as a whole, so that no
 * index in it changes.
 */
function withoutWrong(value: JsonMap, issues: readonly ZodIssue[]): JsonMap {
  const rest = structuredClone(value);
  const remove = (path: readonly PropertyKey[]): void => {
    const list = path.findIndex((key) => typeof key === 'number');
    const place = list < 0 ? path : path.slice(0, list);
    const map = valueAt(rest, place.slice(0, -1));
    if (isJsonMap(map)) delete map[String(place.at(-1))];
  };
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) remove([...issue.path, key]);
    else remove(issue.path);
  }
  return rest;
}
