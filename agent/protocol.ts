/**
 * Turns a conversation into a question in a model's protocol, and its answer into calls. Tools are offered natively, as
 * JSON that the server enforces, or in plain text. Each protocol has a file in protocols/.
 */
import type { AgentTool } from '../blueprints/kinds/agent.ts';
import type { ExtraFields, Message, Model, ModelRequest, ModelResponse, ToolCall } from '../model/contract.ts';
import { filteredAnswerFeedback, refusedAnswerFeedback } from './prompts.ts';
import * as json from './protocols/json.ts';
import * as native from './protocols/native.ts';
import * as text from './protocols/text.ts';

export type EncodedQuestion = Pick<ModelRequest, 'messages' | 'tools' | 'answer'>;

/** What an answer means: calls, an end, or neither. */
export interface DecodedAnswer {
  /** What the model wrote besides its calls. */
  text: string;
  toolCalls: ToolCall[];
  /** The model's last words, if it says that it is done. Never together with calls. */
  finished?: string;
  /** What the model is told if its answer is neither a call nor an end. Never together with calls. */
  unusable?: string;
  /** The call that was cut off with the answer, because the answer became too long. */
  cutCallId?: string;
  /** What goes back to the server with the answer. */
  extra?: ExtraFields;
}

/** What is read of an answer. */
type Answer = Pick<ModelResponse, 'content' | 'toolCalls' | 'stopReason' | 'refusal' | 'extra'>;

interface Protocol {
  encode(conversation: Message[], tools: readonly AgentTool[]): EncodedQuestion;
  /** `turn` makes the calls' ids unique in the conversation. */
  decode(
    response: Pick<ModelResponse, 'content' | 'toolCalls' | 'stopReason'>,
    tools: readonly AgentTool[],
    turn: number,
  ): DecodedAnswer;
}

const protocols: Record<Model['protocol'], Protocol> = { native, json, text };

/** Turns a conversation into a question in the model's protocol. */
export function encodeQuestion(
  protocol: Model['protocol'],
  conversation: Message[],
  tools: readonly AgentTool[],
): EncodedQuestion {
  return protocols[protocol].encode(conversation, tools);
}

/** Reads an answer. Never throws: an answer that can't be read is `unusable`. */
export function decodeAnswer(
  protocol: Model['protocol'],
  response: Answer,
  tools: readonly AgentTool[],
  turn: number,
): DecodedAnswer {
  const { extra, refusal } = response;
  const kept = extra && { extra };
  // An answer that a filter stopped is incomplete and is not an end, whatever it looks like.
  if (response.stopReason === 'content-filter')
    return { text: response.content, toolCalls: [], unusable: filteredAnswerFeedback, ...kept };
  if (refusal && response.content.trim() === '' && response.toolCalls.length === 0)
    return { text: refusal, toolCalls: [], unusable: refusedAnswerFeedback(refusal), ...kept };
  return { ...protocols[protocol].decode(response, tools, turn), ...kept };
}

/** The answer in the form that the conversation keeps. */
export function toAssistantMessage(answer: DecodedAnswer): Message {
  const { finished, text, toolCalls, extra } = answer;
  return { role: 'assistant', content: finished ?? text, toolCalls, ...(extra && { extra }) };
}
