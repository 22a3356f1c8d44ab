/** The question and the answer of a `prompt` step. The answer is JSON that fits a JSON Schema. */
import { z } from 'zod';
import type { JsonSchema } from '../blueprints/kinds/prompt.ts';
import type { Message, ModelRequest, ModelResponse } from '../model/contract.ts';
import { findJson } from './json-text.ts';
import { filteredAnswerFeedback, refusedAnswerFeedback } from './prompts.ts';
import { withoutThinking } from './thinking.ts';

const maxAnswerChars = 64 * 1024;
const maxSchemaChars = 64 * 1024;

/** The question of a `prompt` step. `earlier` holds the answers that didn't fit, each with what was wrong. */
export function promptQuestion(
  prompt: { text: string; schema: JsonSchema; system?: string },
  earlier: { answer: string; error: string }[] = [],
): Pick<ModelRequest, 'messages' | 'answer'> {
  const format = `Answer with JSON only, of this JSON Schema:\n${JSON.stringify(prompt.schema)}`;
  const messages: Message[] = [
    { role: 'system', content: prompt.system ? `${prompt.system}\n\n${format}` : format },
    { role: 'user', content: prompt.text },
    ...earlier.flatMap(({ answer, error }): Message[] => [
      { role: 'assistant', content: answer.slice(0, maxAnswerChars), toolCalls: [] },
      { role: 'user', content: error },
    ]),
  ];
  return { messages, answer: { name: 'answer', schema: prompt.schema } };
}

/** How an answer ended, besides its text. */
type Ending = Partial<Pick<ModelResponse, 'stopReason' | 'refusal'>>;

/**
 * The value of an answer, or what the model is told so that it can try again. @throws TypeError if the schema can't be
 * read
 */
export function parseAnswer(
  text: string,
  jsonSchema: JsonSchema,
  ending: Ending = {},
): { value: unknown } | { error: string } {
  const schema = readSchema(jsonSchema);
  if (ending.stopReason === 'content-filter') return { error: filteredAnswerFeedback };
  if (text.length > maxAnswerChars)
    return { error: `The answer is longer than ${maxAnswerChars} characters. Give a shorter one.` };
  const answer = withoutThinking(text);
  const read = findJson(answer).map((json) => ({ json, parsed: schema.safeParse(json.value) }));
  const fitting = read.find(({ parsed }) => parsed.success);
  if (fitting) return { value: fitting.json.value };
  const error = read[0]?.parsed.error;
  if (!error) return { error: whyNoJson(answer, ending) };
  const issues = error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'the answer'}: ${issue.message}`);
  return {
    error: `The answer does not fit the schema: ${issues.join('; ').slice(0, 1000)}. Answer again, with JSON only.`,
  };
}

function whyNoJson(answer: string, { stopReason, refusal }: Ending): string {
  if (refusal && answer === '') return refusedAnswerFeedback(refusal);
  if (stopReason === 'length')
    return 'The answer was cut off because it was too long. Answer with JSON only, and shorter.';
  const what = answer === '' ? 'The answer is empty, which is not JSON.' : 'The answer is not JSON.';
  return `${what} Answer with JSON only, without any other text.`;
}

function readSchema(jsonSchema: JsonSchema): z.ZodType {
  if (JSON.stringify(jsonSchema).length > maxSchemaChars)
    throw new TypeError(`an answer's JSON Schema has at most ${maxSchemaChars} characters`);
  if (hasPattern(jsonSchema))
    throw new TypeError(
      "an answer's JSON Schema can't hold a pattern: use enum, or check the answer in a step of its own",
    );
  try {
    return z.fromJSONSchema(jsonSchema);
  } catch (error) {
    throw new TypeError(
      `the answer's JSON Schema can't be used: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

const keywordsOfSchemasByName = new Set(['properties', '$defs', 'definitions']);
const keywordsOfValues = new Set(['const', 'enum', 'default', 'examples']);

/** Whether the schema has a regular expression, which could block the process for ever on a text from outside. */
function hasPattern(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasPattern);
  if (typeof schema !== 'object' || schema === null) return false;
  return Object.entries(schema).some(([keyword, value]: [string, unknown]) => {
    if (keyword === 'pattern' || keyword === 'patternProperties') return true;
    if (keywordsOfValues.has(keyword)) return false;
    const inner =
      keywordsOfSchemasByName.has(keyword) && typeof value === 'object' && value !== null
        ? Object.values(value)
        : value;
    return hasPattern(inner);
  });
}
