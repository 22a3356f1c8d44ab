/** Makes the summary of an answer by which the workflow decides. It is small, whatever the model wrote. */
import type { AgentTool } from '../blueprints/kinds/agent.ts';
import type { ToolCall } from '../model/contract.ts';
import type { AnswerSummary } from './loop.ts';
import { parseJsonText } from './json-text.ts';
import { tooLongAnswerFeedback } from './prompts.ts';
import type { DecodedAnswer } from './protocol.ts';
import { parseToolCall } from './tools.ts';

const maxWords = 2000;

/** Summarises an answer: each call with its error, if any, and the last words cut to 2,000 characters. */
export function summariseAnswer(answer: DecodedAnswer, allowed: readonly AgentTool[]): AnswerSummary {
  const calls = answer.toolCalls.map((call) => {
    const parsed = parseToolCall(call, allowed);
    const name = call.name.slice(0, 60);
    const error = call.id === answer.cutCallId ? tooLongAnswerFeedback : 'error' in parsed ? parsed.error : undefined;
    return { id: call.id, name, digest: digestCall(call), ...(error !== undefined && { error }) };
  });
  return {
    calls,
    ...(answer.finished === undefined ? {} : { finished: answer.finished.slice(0, maxWords) }),
    ...(answer.unusable === undefined ? {} : { unusable: answer.unusable }),
  };
}

/** The digest of a call, whatever the layout of its JSON. It tells calls apart; it is no protection against forgery. */
function digestCall(call: Pick<ToolCall, 'name' | 'arguments'>): string {
  const parsed = parseJsonText(call.arguments);
  const text = `${call.name} ${parsed ? JSON.stringify(sortKeys(parsed.value)) : call.arguments}`;
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++)
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n);
  return hash.toString(16);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}
