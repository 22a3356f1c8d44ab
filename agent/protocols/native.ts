/** Tools as in the OpenAI protocol. Calls that a model writes as text anyway are understood. */
import type { AgentTool } from '../../blueprints/kinds/agent.ts';
import type { Message, ModelResponse } from '../../model/contract.ts';
import { parseJsonText } from '../json-text.ts';
import { emptyAnswerFeedback, tooLongAnswerFeedback } from '../prompts.ts';
import type { DecodedAnswer, EncodedQuestion } from '../protocol.ts';
import { maxArgumentsChars, toolDefinitions } from '../tools.ts';
import { endWithCalls, findWrittenCalls, withOwnIds, withoutThinking } from './written-calls.ts';

export function encode(conversation: Message[], tools: readonly AgentTool[]): EncodedQuestion {
  return { messages: conversation.map(withReadableArguments), tools: toolDefinitions(tools) };
}

export function decode(
  response: Pick<ModelResponse, 'content' | 'toolCalls' | 'stopReason'>,
  tools: readonly AgentTool[],
  turn: number,
): DecodedAnswer {
  const text = withoutThinking(response.content);
  if (response.toolCalls.length > 0) return endWithCalls(text, withOwnIds(response.toolCalls, turn));
  const written = findWrittenCalls(text, tools, turn);
  if (written.calls.length > 0) return endWithCalls(written.rest, written.calls);
  if (response.stopReason === 'length') return { text, toolCalls: [], unusable: tooLongAnswerFeedback };
  return text === '' ? { text, toolCalls: [], unusable: emptyAnswerFeedback } : { text, toolCalls: [], finished: text };
}

/** Servers refuse a conversation in which a call's arguments aren't a JSON object. */
function withReadableArguments(message: Message): Message {
  if (message.role !== 'assistant') return message;
  return { ...message, toolCalls: message.toolCalls.map((call) => ({ ...call, arguments: readable(call.arguments) })) };
}

function readable(text: string): string {
  const value = text.length <= maxArgumentsChars ? parseJsonText(text)?.value : undefined;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return JSON.stringify(isObject ? value : { unreadable: text.slice(0, 200) });
}
