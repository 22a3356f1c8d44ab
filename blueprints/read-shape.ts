/** Reads a value by a schema, and reports all that is wrong with it: also in what follows a misspelt key. */
import type { z } from 'zod';
import type { KeyPath } from './issues.ts';
import { isJsonMap, type JsonMap } from '../base/json.ts';
import { findNearest } from './nearest.ts';
import { maxIssues, type Report } from './report.ts';
import { keyPath, keysAt, reportShape, unknownKey, valueAt } from './shape-issues.ts';

type ZodIssue = z.core.$ZodIssue;

interface ReadValue<T> {
  /** The value, its misspelt keys as they were meant. */
  value: JsonMap;
  /** What is right of it, where that is enough for the schema. */
  data: T | undefined;
}

/** A misspelt key is reported once and then read as what was meant, so that nothing has to wait until it is mended. */
export function readShape<S extends z.ZodType>(
  schema: S,
  value: JsonMap,
  base: KeyPath,
  report: Report,
): ReadValue<z.output<S>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value, data: parsed.data };
  const { issues } = parsed.error;
  const mended = mendKeys(schema, value, issues, base, report);
  if (mended) return readShape(schema, mended, base, report);
  reportShape(report, base, schema, value, issues);
  return { value, data: schema.safeParse(withoutWrong(value, issues)).data };
}

/** Undefined where no unknown key is like one that is missing. */
function mendKeys(
  schema: z.ZodType,
  value: JsonMap,
  issues: readonly ZodIssue[],
  base: KeyPath,
  report: Report,
): JsonMap | undefined {
  if (!issues.some(({ code }) => code === 'unrecognized_keys')) return undefined;
  const mended = structuredClone(value);
  let isMended = false;
  for (const issue of issues) {
    const map = valueAt(mended, issue.path);
    if (issue.code !== 'unrecognized_keys' || !isJsonMap(map)) continue;
    const known = keysAt(schema, issue.path);
    for (const written of issue.keys.slice(0, maxIssues)) {
      const meant = report.isFull() ? undefined : findNearest(written, known);
      if (meant === undefined || Object.hasOwn(map, meant)) continue;
      report.addMisspelt([...base, ...keyPath(issue)], { written, meant }, 'unknown-key', unknownKey(written));
      renameKey(map, written, meant);
      isMended = true;
    }
  }
  return isMended ? mended : undefined;
}

function renameKey(map: JsonMap, written: string, meant: string): void {
  map[meant] = map[written] ?? null;
  delete map[written];
}

/** What is right in a value can still be looked at. A list is right as a whole or not at all, so that no place in it moves. */
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
