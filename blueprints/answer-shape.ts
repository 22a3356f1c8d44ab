/** What a JSON Schema says about the answers that fit it: which members they may have, and which numbers are doubles. */
import { isJsonMap, type Json, type JsonMap } from '../base/json.ts';
import type { Doubles } from './cel-values.ts';

/** Keywords whose schemas hold for the same value as the schema around them. */
const sameValue = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else'];

/** The members that an answer may have; undefined if it may have any. */
export function answerMembers(schema: JsonMap): string[] | undefined {
  const { properties, additionalProperties } = schema;
  if (!isJsonMap(properties) || isJsonMap(additionalProperties)) return undefined;
  if ([...sameValue, 'dependentSchemas'].some((keyword) => Object.hasOwn(schema, keyword))) return undefined;
  return Object.keys(properties);
}

/** The places of an answer that hold a `number`, which stays a double even if the model writes it without a point. */
export function answerDoubles(schema: Json | undefined): Doubles | undefined {
  if (!isJsonMap(schema)) return undefined;
  const { type, properties, additionalProperties, items, prefixItems } = schema;
  if (type === 'number' || (Array.isArray(type) && type.includes('number'))) return true;
  const places = new Map<string, Doubles>();
  const add = (key: string, doubles: Doubles | undefined): void => {
    if (doubles !== undefined) places.set(key, doubles);
  };
  for (const keyword of sameValue) {
    const value = schema[keyword];
    for (const same of Array.isArray(value) ? value : [value]) {
      const doubles = answerDoubles(same);
      if (doubles === true) return true;
      for (const [key, inner] of doubles ?? []) add(key, inner);
    }
  }
  add('*', answerDoubles(additionalProperties));
  for (const item of [items, prefixItems].flat()) add('*', answerDoubles(item));
  for (const [name, property] of Object.entries(isJsonMap(properties) ? properties : {}))
    add(name, answerDoubles(property));
  return places.size > 0 ? places : undefined;
}
