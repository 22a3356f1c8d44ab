/** The question and the answer of a `prompt` step. The answer is JSON that fits a JSON Schema. */
import { findAnswerProblem } from '../blueprints/answer-schema.ts';
import type { JsonSchema } from '../blueprints/kinds/prompt.ts';
import type { Message, ModelRequest, ModelResponse } from '../model/contract.ts';
import { findJson } from './json-text.ts';
import { filteredAnswerFeedback, refusedAnswerFeedback } from './prompts.ts';
import { withoutThinking } from './thinking.ts';

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

/** How an answer ended, besides its text. */
type Ending = Partial<Pick<ModelResponse, 'stopReason' | 'refusal'>>;

/**
 * The value of an answer, or what the model is told so that it can try again. @throws TypeError if the schema can't be
 * used
 */
export function parseAnswer(
  text: string,
  schema: JsonSchema,
  ending: Ending = {},
): { value: unknown } | { error: string } {
  if (ending.stopReason === 'content-filter') return { error: filteredAnswerFeedback };
  if (text.length > maxAnswerChars)
    return { error: `The answer is longer than ${maxAnswerChars} characters. Give a shorter one.` };
  const answer = withoutThinking(text);
  const read = findJson(answer).map(({ value }) => ({ value, problem: findAnswerProblem(schema, value) }));
  const fitting = read.find(({ problem }) => problem === undefined);
  if (fitting) return { value: fitting.value };
  const problem = read[0]?.problem;
  if (problem === undefined) return { error: whyNoJson(answer, ending) };
  return { error: `The answer does not fit the schema: ${problem.slice(0, 1000)}. Answer again, with JSON only.` };
}

function whyNoJson(answer: string, { stopReason, refusal }: Ending): string {
  if (refusal && answer === '') return refusedAnswerFeedback(refusal);
  if (stopReason === 'length')
    return 'The answer was cut off because it was too long. Answer with JSON only, and shorter.';
  const what = answer === '' ? 'The answer is empty, which is not JSON.' : 'The answer is not JSON.';
  return `${what} Answer with JSON only, without any other text.`;
}
