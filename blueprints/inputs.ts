/** Checks inputs against their declarations. */
import { z } from 'zod';
import type { ErrorCode } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { findNearest } from './nearest.ts';
import type { Blueprint, Input } from './schema.ts';

/** What is wrong with an input. */
export interface InputIssue {
  code: ErrorCode;
  message: string;
  hint?: string;
}

const maxInputLength = 65_536;

/**
 * The values of all inputs with defaults filled in, or what is wrong with the given ones. Text, such as from a command
 * line, is converted to the declared type; a list is an array of text, or text with commas. Never throws.
 */
export function checkInputs(
  blueprint: Pick<Blueprint, 'inputs'>,
  given: Record<string, unknown>,
): { values: Record<string, Json>; issues: InputIssue[] } {
  const declared = blueprint.inputs ?? {};
  const values: [string, Json][] = [];
  const issues: InputIssue[] = [];
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(declared, name)) continue;
    const nearest = findNearest(name, Object.keys(declared));
    const known = Object.keys(declared).join(', ') || 'none';
    issues.push({
      code: 'unknown-input',
      message: `there is no input \`${name}\``,
      hint: nearest === undefined ? `the inputs are: ${known}` : `did you mean \`${nearest}\`?`,
    });
  }
  for (const [name, input] of Object.entries(declared)) {
    const value: unknown = Object.hasOwn(given, name) ? given[name] : input.default;
    if (value === undefined) {
      issues.push({
        code: 'missing-input',
        message: `the input \`${name}\` is missing`,
        ...(input.description === undefined ? {} : { hint: input.description }),
      });
      continue;
    }
    const read = readInput(input, value);
    if ('problem' in read) issues.push({ code: 'invalid-input', message: `the input \`${name}\` ${read.problem}` });
    else values.push([name, read.value]);
  }
  return { values: Object.fromEntries(values), issues };
}

/**
 * The value of an input, converted from text if needed; or what is wrong with it, as the end of a sentence that begins
 * with the input's name.
 */
function readInput(input: Input, value: unknown): { value: Json } | { problem: string } {
  const converted = z.json().safeParse(typeof value === 'string' ? convert(input.type, value) : value);
  const problem = findInputProblem(input, converted.data);
  return converted.data === undefined || problem !== undefined
    ? { problem: problem ?? 'must be plain data' }
    : { value: converted.data };
}

function convert(type: Input['type'], text: string): Json {
  if (type === 'integer' && /^-?[0-9]{1,15}$/.test(text)) return Number(text);
  if (type === 'number' && /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (type === 'list') return text === '' ? [] : text.split(',').map((item) => item.trim());
  return text;
}

/** What is wrong with a value of an input, without conversion; undefined if nothing is. */
export function findInputProblem(input: Input, value: unknown): string | undefined {
  if (input.type === 'integer') return Number.isSafeInteger(value) ? undefined : 'must be a whole number';
  if (input.type === 'number') return Number.isFinite(value) ? undefined : 'must be a number';
  if (input.type === 'boolean') return typeof value === 'boolean' ? undefined : 'must be true or false';
  const texts = z.array(z.string()).safeParse(input.type === 'list' ? value : [value]);
  if (!texts.success) return input.type === 'list' ? 'must be a list of texts' : 'must be a text';
  if (texts.data.join('').length > maxInputLength) return `must have at most ${maxInputLength} characters`;
  const allowed = input.enum;
  return allowed && !texts.data.every((text) => allowed.includes(text))
    ? `must be one of: ${allowed.join(', ')}`
    : undefined;
}
