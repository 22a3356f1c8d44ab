/** Tools as in the OpenAI protocol. Calls that a model writes as text anyway are understood. */
import type { AgentTool } from '../../blueprints/kinds/agent.ts';
import type { Message, ModelResponse, ToolCall } from '../../model/contract.ts';
import { parseJsonText } from '../json-text.ts';
import { emptyAnswerFeedback, tooLongAnswerFeedback } from '../prompts.ts';
import type { DecodedAnswer, EncodedQuestion } from '../protocol.ts';
import { maxArgumentsChars, toolDefinitions } from '../tools.ts';
import { endWithCalls, findWrittenCalls, withOwnIds, withOwnNames } from './written-calls.ts';
import { withoutThinking } from '../thinking.ts';

export function encode(conversation: Message[], tools: readonly AgentTool[]): EncodedQuestion {
  return { messages: conversation.map(withReadableCalls), tools: toolDefinitions(tools) };
}

export function decode(
  response: Pick<ModelResponse, 'content' | 'toolCalls' | 'stopReason'>,
  tools: readonly AgentTool[],
  turn: number,
): DecodedAnswer {
  const text = withoutThinking(response.content);
  if (response.toolCalls.length > 0) {
    const calls = withOwnNames(withOwnIds(response.toolCalls, turn), tools);
    const last = calls.at(-1);
    const isCut = response.stopReason === 'length' && last !== undefined && !isWhole(last);
    return { ...endWithCalls(text, calls), ...(isCut && { cutCallId: last.id }) };
  }
  const written = findWrittenCalls(text, tools, turn);
  if (written.calls.length > 0) return endWithCalls(written.rest, written.calls);
  if (response.stopReason === 'length') return { text, toolCalls: [], unusable: tooLongAnswerFeedback };
  return text === '' ? { text, toolCalls: [], unusable: emptyAnswerFeedback } : { text, toolCalls: [], finished: text };
}

/** Whether a call that a server cut off has all of its arguments. */
function isWhole({ arguments: text }: ToolCall): boolean {
  return parseJsonText(text) !== undefined;
}

/** Servers refuse a conversation in which a call's arguments aren't a JSON object, or its name is more than a word. */
function withReadableCalls(message: Message): Message {
  if (message.role !== 'assistant') return message;
  const toolCalls = message.toolCalls.map((call) => ({
    ...call,
    name: call.name.replaceAll(/[^\w-]/g, '_').slice(0, 64) || 'unknown',
    arguments: readable(call.arguments),
  }));
  return { ...message, toolCalls };
}

function readable(text: string): string {
  const value = text.length <= maxArgumentsChars ? parseJsonText(text)?.value : undefined;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return JSON.stringify(isObject ? value : { unreadable: text.slice(0, 200) });
}
