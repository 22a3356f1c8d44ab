/** Each answer is one JSON object with a schema that the server enforces. For models that can't call tools natively. */
import type { AgentTool } from '../../blueprints/kinds/agent.ts';
import type { Message, ModelResponse } from '../../model/contract.ts';
import { exampleWords } from '../examples.ts';
import { findJson } from '../json-text.ts';
import { emptyAnswerFeedback, tooLongAnswerFeedback } from '../prompts.ts';
import type { DecodedAnswer, EncodedQuestion } from '../protocol.ts';
import { toolDefinitions } from '../tools.ts';
import { doneTool, endWithCalls, toCalls, withOwnIds } from './written-calls.ts';
import { withoutThinking } from '../thinking.ts';
import { toolList, writeConversation } from './written-conversation.ts';

const example = `{"tool": "read", "arguments": {"path": "${exampleWords.file}"}}`;

export function encode(conversation: Message[], tools: readonly AgentTool[]): EncodedQuestion {
  const manual = `Answer with one JSON object: the tool to use next, and its arguments. For example:\n${example}\nThe tools are:\n${toolList(tools)}`;
  const messages = writeConversation(conversation, manual, (_text, calls) =>
    JSON.stringify(calls.length === 1 ? calls[0] : calls),
  );
  return { messages, answer: { name: 'action', schema: actionSchema(tools) } };
}

export function decode(
  response: Pick<ModelResponse, 'content' | 'stopReason'>,
  tools: readonly AgentTool[],
  turn: number,
): DecodedAnswer {
  const content = withoutThinking(response.content);
  const [json] = findJson(content);
  const calls = json ? withOwnIds(toCalls(json.value, tools), turn) : [];
  if (calls.length > 0) return endWithCalls('', calls);
  const unusable =
    response.stopReason === 'length'
      ? tooLongAnswerFeedback
      : content === ''
        ? emptyAnswerFeedback
        : `Your answer was not one JSON object with a tool. For example:\n${example}`;
  return { text: content, toolCalls: [], unusable };
}

/**
 * The schema of an answer. It has no field for thoughts: a small model repeats the same thought and then makes the same
 * call. Each tool has its own object, so that the arguments fit the tool. Lengths and ranges are checked with the call,
 * because they would enlarge the grammar.
 */
function actionSchema(tools: readonly AgentTool[]): Record<string, unknown> {
  const done = {
    name: doneTool,
    parameters: {
      type: 'object',
      properties: { summary: { type: 'string' } },
      required: ['summary'],
      additionalProperties: false,
    },
  };
  const variants = [...toolDefinitions(tools), done].map((tool) => ({
    type: 'object',
    properties: { tool: { const: tool.name }, arguments: withoutBounds(tool.parameters) },
    required: ['tool', 'arguments'],
    additionalProperties: false,
  }));
  return { anyOf: variants };
}

const bounds = new Set(['minLength', 'maxLength', 'minimum', 'maximum']);

function withoutBounds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutBounds);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) => (bounds.has(key) ? [] : [[key, withoutBounds(value)]])),
  );
}
