/**
 * Answers tool calls that were never answered because their step ended first. A server refuses a conversation with such
 * a call.
 */
import type { Message } from '../model/contract.ts';
import { leftCallFeedback } from './prompts.ts';

/** Answers for those calls of the last assistant message that neither `conversation` nor `next` answers. */
export function answerLeftCalls(conversation: Message[], next: Message[]): Message[] {
  const asked = conversation.findLastIndex(({ role }) => role === 'assistant');
  const message = conversation[asked];
  if (message?.role !== 'assistant') return [];
  const answered = new Set(
    [...conversation.slice(asked + 1), ...next].map((said) => (said.role === 'tool' ? said.toolCallId : undefined)),
  );
  return message.toolCalls
    .filter(({ id }) => !answered.has(id))
    .map(({ id }) => ({ role: 'tool', toolCallId: id, content: leftCallFeedback }));
}
