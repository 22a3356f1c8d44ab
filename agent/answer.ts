/** The question and the answer of a `prompt` step. The answer is JSON that fits a JSON Schema. */
import { findAnswerProblem } from '../blueprints/answer-schema.ts';
import type { JsonSchema } from '../blueprints/kinds/prompt.ts';
import type { Message, ModelRequest } from '../model/contract.ts';
import { parseJsonText, stripFence } from './json-text.ts';
import { withoutThinking } from './protocols/written-calls.ts';

const maxAnswerChars = 64 * 1024;

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

/**
 * The value of an answer, or what the model is told so that it can try again. @throws TypeError if the schema can't be
 * used
 */
export function parseAnswer(text: string, schema: JsonSchema): { value: unknown } | { error: string } {
  if (text.length > maxAnswerChars)
    return { error: `The answer is longer than ${maxAnswerChars} characters. Give a shorter one.` };
  const json = parseJsonText(stripFence(withoutThinking(text)));
  if (!json) return { error: 'The answer is not JSON. Answer with JSON only, without any other text.' };
  const problem = findAnswerProblem(schema, json.value);
  if (problem === undefined) return { value: json.value };
  return { error: `The answer does not fit the schema: ${problem.slice(0, 1000)}. Answer again, with JSON only.` };
}
