/** Puts together what a server sends, piece by piece, beside the fields that Jig knows. */
import { isJsonMap, type Json, type JsonMap } from '../base/json.ts';
import type { ExtraFields } from './contract.ts';

/** A field that outgrows this is dropped, since half of a signature is worth nothing. */
const maxFieldChars = 1024 * 1024;

/** Keys that say what a piece is. They come again with each piece, while other texts are continued. */
const labels = new Set(['type', 'id', 'index', 'format', 'role', 'name', 'channel']);

/** Collects the extra fields of one message or call. */
export class ExtraFieldsBuilder {
  readonly #fields = new Map<string, { value: Json; chars: number }>();

  /** Adds a piece: texts are continued, lists get longer. Empty values count as missing. */
  add(piece: JsonMap): void {
    for (const [name, value] of Object.entries(piece)) {
      if (isEmpty(value)) continue;
      const known = this.#fields.get(name);
      const chars = (known?.chars ?? 0) + JSON.stringify(value).length;
      if (chars > maxFieldChars) this.#fields.set(name, { value: null, chars });
      else this.#fields.set(name, { chars, value: known && !labels.has(name) ? continued(known.value, value) : value });
    }
  }

  /** The fields; undefined if there are none. */
  build(): ExtraFields | undefined {
    const kept = [...this.#fields].flatMap(([name, { value }]) => (value === null ? [] : [[name, value] as const]));
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  }
}

function continued(before: Json, next: Json): Json {
  if (typeof before === 'string' && typeof next === 'string') return before + next;
  if (Array.isArray(before) && Array.isArray(next)) return next.reduce<Json[]>(withPart, [...before]);
  return next;
}

/** The list with one more part, which may continue the last one. */
function withPart(parts: Json[], part: Json): Json[] {
  const last = parts.at(-1);
  if (!isJsonMap(last) || !isJsonMap(part) || !isSamePart(last, part)) return [...parts, part];
  const merged = Object.entries(part).reduce<JsonMap>((all, [key, value]) => {
    const known = all[key];
    const isNew = known === undefined || known === null || labels.has(key);
    return isEmpty(value) ? all : { ...all, [key]: isNew ? value : continued(known, value) };
  }, last);
  return [...parts.slice(0, -1), merged];
}

/** Whether a part goes on with the one before: it is of the same type and place, and has no other name. */
function isSamePart(last: JsonMap, part: JsonMap): boolean {
  const hasSame = (key: string): boolean => last[key] === part[key];
  return (
    typeof part['type'] === 'string' &&
    hasSame('type') &&
    hasSame('index') &&
    (isEmpty(part['id']) || isEmpty(last['id']) || hasSame('id'))
  );
}

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
