/**
 * The JSON Schemas of answers, held by Ajv in its strict mode: a keyword that it doesn't know, or that would have no
 * effect, is refused before a model is paid. Not for workflow code: Ajv compiles a schema to JavaScript.
 */
import { createRequire } from 'node:module';
import type * as ajvOfDraft7 from 'ajv';
import type { Ajv, ErrorObject, Options, ValidateFunction } from 'ajv';
import type * as ajvOf2020 from 'ajv/dist/2020.js';
import type { FormatsPlugin } from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import { isJsonMap, type Json, type JsonMap } from '../base/json.ts';
import type { KeyPath } from './issues.ts';

/** What is wrong with a schema, and where in it. */
export interface SchemaProblem {
  path: KeyPath;
  message: string;
  hint?: string;
}

/** Finds what is wrong with an answer, in words for the model; undefined if it fits. */
type FindProblem = (answer: unknown) => string | undefined;

/** Compiling takes milliseconds, and the items of an `each` share their schema. */
const compiled = new LRUCache<string, { find: FindProblem } | { problem: SchemaProblem }>({ max: 200 });

/** What is wrong with a schema; undefined if answers can be held to it. */
export function findSchemaProblem(schema: JsonMap): SchemaProblem | undefined {
  const known = compile(schema);
  return 'problem' in known ? known.problem : undefined;
}

/** What is wrong with an answer; undefined if it fits. @throws TypeError if the schema can't be used */
export function findAnswerProblem(schema: JsonMap, answer: unknown): string | undefined {
  const known = compile(schema);
  if ('find' in known) return known.find(answer);
  throw new TypeError(`the answer's JSON Schema can't be used: ${known.problem.message}`);
}

function compile(schema: JsonMap): { find: FindProblem } | { problem: SchemaProblem } {
  const text = JSON.stringify(schema);
  const known = compiled.get(text) ?? compileNew(schema, text);
  compiled.set(text, known);
  return known;
}

/** Time grows with the size of the schema, to compile it and to check an answer. */
const maxCharacters = 16_384;

function compileNew(schema: JsonMap, text: string): { find: FindProblem } | { problem: SchemaProblem } {
  const problem = text.length > maxCharacters ? tooLong(text.length) : findRefused(schema, []);
  if (problem) return { problem };
  const ajv = ajvFor(schema.$schema);
  if (!ajv)
    return { problem: { path: ['$schema'], message: `\`$schema\` must be ${[...dialects.keys()].join(' or ')}` } };
  // Ajv keeps what it compiled by the identity of the schema, so it gets its own, and forgets it.
  const { $schema: _, ...own } = structuredClone(schema);
  try {
    if (ajv.validateSchema(own) !== true) return { problem: invalid(ajv.errors?.[0]) };
    const validate = ajv.compile(own);
    return { find: (answer) => (validate(answer) ? undefined : describe(validate)) };
  } catch (error) {
    return { problem: strict(error instanceof Error ? error.message : String(error)) };
  } finally {
    ajv.removeSchema(own);
  }
}

function tooLong(length: number): SchemaProblem {
  return {
    path: [],
    message: `the schema of an answer has at most ${maxCharacters} characters; this one has ${length}`,
  };
}

const options: Options = {
  strict: true,
  strictTypes: true,
  strictTuples: false,
  strictRequired: false,
  allowUnionTypes: true,
  allErrors: true,
  // A member that every JavaScript object has is not a member of an answer.
  ownProperties: true,
  // 0.3 is a multiple of 0.1.
  multipleOfPrecision: 10,
  addUsedSchema: false,
  logger: false,
};

const draft2020 = 'https://json-schema.org/draft/2020-12/schema';
const dialects = new Map<string, () => Ajv>([
  [draft2020, newAjvOf2020],
  ['http://json-schema.org/draft-07/schema#', newAjvOfDraft7],
]);
/** To load Ajv takes longer than to check a blueprint, and most have no answers, so it is loaded when one needs it. */
const load = createRequire(import.meta.url);

function newAjvOf2020(): Ajv {
  const { Ajv2020 }: typeof ajvOf2020 = load('ajv/dist/2020.js');
  return new Ajv2020(options);
}

function newAjvOfDraft7(): Ajv {
  const { Ajv }: typeof ajvOfDraft7 = load('ajv');
  return new Ajv(options);
}

const instances = new Map<string, Ajv>();

function ajvFor(name: Json = draft2020): Ajv | undefined {
  if (typeof name !== 'string') return undefined;
  const known = instances.get(name) ?? dialects.get(name)?.();
  if (!known || instances.has(name)) return known;
  const formats: { default: FormatsPlugin } = load('ajv-formats');
  formats.default(known);
  instances.set(name, known);
  return known;
}

/** Keywords that run a pattern of the author's in the worker, point elsewhere, or give the schema a name there. */
const refused = new Set([
  'pattern',
  'patternProperties',
  '$ref',
  '$dynamicRef',
  '$recursiveRef',
  '$id',
  'id',
  '$anchor',
  '$dynamicAnchor',
  '$recursiveAnchor',
  '$vocabulary',
  '$async',
]);
/** Keywords that hold schemas by names, which may be any words; and those that hold values, which are no schemas. */
const namedSchemas = new Set(['properties', '$defs', 'definitions', 'dependentSchemas']);
const values = new Set(['const', 'enum', 'default', 'examples', 'required', 'dependentRequired']);

/** To compare each item with each other one takes long if there are many. */
const maxUniqueItems = 1000;

function findRefused(schema: Json, path: KeyPath): SchemaProblem | undefined {
  if (Array.isArray(schema)) return first(schema.entries(), ([index, inner]) => findRefused(inner, [...path, index]));
  if (!isJsonMap(schema)) return undefined;
  return first(Object.entries(schema), ([key, inner]) => {
    const here = [...path, key];
    if (refused.has(key)) {
      const problem = { path: here, message: `\`${key}\` can't be used in the schema of an answer` };
      return key === 'pattern' ? { ...problem, hint: 'use `enum`, or check the answer in a `run` step' } : problem;
    }
    const { maxItems } = schema;
    if (key === 'uniqueItems' && inner === true && !(typeof maxItems === 'number' && maxItems <= maxUniqueItems))
      return { path: here, message: `\`uniqueItems\` needs \`maxItems\`, of at most ${maxUniqueItems}` };
    if (namedSchemas.has(key) && isJsonMap(inner))
      return first(Object.entries(inner), ([name, named]) => findRefused(named, [...here, name]));
    return values.has(key) ? undefined : findRefused(inner, here);
  });
}

function first<T>(items: Iterable<T>, find: (item: T) => SchemaProblem | undefined): SchemaProblem | undefined {
  for (const item of items) {
    const found = find(item);
    if (found) return found;
  }
  return undefined;
}

/** What the schema of schemas says. */
function invalid(error: ErrorObject | undefined): SchemaProblem {
  const path = pointerPath(error?.instancePath ?? '');
  return { path, message: `this is not JSON Schema: \`${path.at(-1) ?? 'the schema'}\` ${messageOf(error)}` };
}

/** What Ajv's strict mode says, such as `strict mode: unknown keyword: "minLenght"`. */
function strict(message: string): SchemaProblem {
  const [, said = message, pointer = ''] =
    /^(?:strict mode: )?(.*?)(?: at "#?([^"]*)")?(?: \(\w+\))?$/s.exec(message) ?? [];
  const [, missing] = /^missing type "([\w,]+)"/.exec(said) ?? [];
  return {
    path: pointerPath(pointer),
    message: `answers can't be held to this schema: ${said.replace(/ ignored in schema$/, '')}`,
    ...(missing !== undefined && { hint: `write \`type: ${missing}\` beside it` }),
  };
}

/** The keys of a JSON Pointer. */
function pointerPath(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const maxShownErrors = 5;

function describe({ errors }: ValidateFunction): string {
  return (errors ?? [])
    .slice(0, maxShownErrors)
    .map((error) => `${pointerPath(error.instancePath).join('.') || 'the answer'}: ${messageOf(error)}`)
    .join('; ');
}

function messageOf(error: ErrorObject | undefined): string {
  const { message = 'does not fit', params = {} } = error ?? {};
  const { allowedValues, allowedValue, additionalProperty } = params as Record<string, unknown>;
  const more = allowedValues ?? allowedValue ?? additionalProperty;
  return more === undefined ? message : `${message} (${JSON.stringify(more).slice(0, 300)})`;
}
