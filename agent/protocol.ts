/**
 * Turns a conversation into a question in a model's protocol, and its answer into calls. Tools are offered natively, as
 * JSON that the server enforces, or in plain text. Each protocol has a file in protocols/.
 */
import type { AgentTool } from '../blueprints/kinds/agent.ts';
import type { Message, Model, ModelRequest, ModelResponse, ToolCall } from '../model/contract.ts';
import { filteredAnswerFeedback } from './prompts.ts';
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
}

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
  response: Pick<ModelResponse, 'content' | 'toolCalls' | 'stopReason'>,
  tools: readonly AgentTool[],
  turn: number,
): DecodedAnswer {
  // An answer that a filter stopped is incomplete and is not an end, whatever it looks like.
  if (response.stopReason === 'content-filter')
    return { text: response.content, toolCalls: [], unusable: filteredAnswerFeedback };
  return protocols[protocol].decode(response, tools, turn);
}

/** The answer in the form that the conversation keeps. */
export function toAssistantMessage(answer: DecodedAnswer): Message {
  return { role: 'assistant', content: answer.finished ?? answer.text, toolCalls: answer.toolCalls };
}
