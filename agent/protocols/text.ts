/** Calls as JSON in code fences, in plain text, for servers that enforce nothing. */
import type { AgentTool } from '../../blueprints/kinds/agent.ts';
import type { Message, ModelResponse } from '../../model/contract.ts';
import { exampleWords } from '../examples.ts';
import { emptyAnswerFeedback, tooLongAnswerFeedback } from '../prompts.ts';
import type { DecodedAnswer, EncodedQuestion } from '../protocol.ts';
import { endWithCalls, findWrittenCalls } from './written-calls.ts';
import { withoutThinking } from '../thinking.ts';
import { toolList, writeConversation } from './written-conversation.ts';

const example = `\`\`\`json\n{"tool": "read", "arguments": {"path": "${exampleWords.file}"}}\n\`\`\``;

export function encode(conversation: Message[], tools: readonly AgentTool[]): EncodedQuestion {
  const manual = `To use a tool, write one block like this, then stop and wait for its result:\n${example}\nThe tools are:\n${toolList(tools)}`;
  const messages = writeConversation(conversation, manual, (text, calls) => {
    const blocks = calls.map((call) => `\`\`\`json\n${JSON.stringify(call)}\n\`\`\``);
    return [...(text ? [text] : []), ...blocks].join('\n');
  });
  return { messages };
}

export function decode(
  response: Pick<ModelResponse, 'content' | 'stopReason'>,
  tools: readonly AgentTool[],
  turn: number,
): DecodedAnswer {
  const content = withoutThinking(response.content);
  const written = findWrittenCalls(content, tools, turn);
  if (written.calls.length > 0) return endWithCalls(written.rest, written.calls);
  const unusable =
    response.stopReason === 'length'
      ? tooLongAnswerFeedback
      : content === ''
        ? emptyAnswerFeedback
        : `Your answer held no block that calls a tool. To go on, or to end with done, write one like this:\n${example}`;
  return { text: content, toolCalls: [], unusable };
}
