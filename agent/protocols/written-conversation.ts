/** Writes a conversation for a model that isn't offered tools natively: calls and results become text. */
import type { AgentTool } from '../../blueprints/kinds/agent.ts';
import type { Message, ToolCall } from '../../model/contract.ts';
import { exampleWords } from '../examples.ts';
import { parseJsonText } from '../json-text.ts';
import { toolDefinitions } from '../tools.ts';
import { doneTool } from './written-calls.ts';

/**
 * The conversation as text messages, with `manual` at the end of the system prompt. Two user messages in a row become
 * one.
 */
export function writeConversation(
  conversation: Message[],
  manual: string,
  writeCalls: (text: string, calls: object[]) => string,
): Message[] {
  const names = new Map<string, string>();
  const written: Message[] = [];
  for (const message of conversation) {
    if (message.role === 'assistant') for (const call of message.toolCalls) names.set(call.id, call.name);
    const next = writeMessage(message, names, writeCalls);
    const last = written.at(-1);
    if (last?.role === 'user' && next.role === 'user') last.content += `\n\n${next.content}`;
    else written.push(next);
  }
  const [first] = written;
  if (first?.role === 'system') first.content = `${first.content}\n\n${manual}`;
  else written.unshift({ role: 'system', content: manual });
  return written;
}

/** The tools as a list, one on each line. */
export function toolList(tools: readonly AgentTool[]): string {
  const lines = toolDefinitions(tools).map((tool) => `- ${tool.name}: ${tool.description}`);
  return [...lines, `- ${doneTool}: Ends the work. Example: {"summary": "${exampleWords.summary}"}`].join('\n');
}

function writeMessage(
  message: Message,
  names: Map<string, string>,
  writeCalls: (text: string, calls: object[]) => string,
): Message {
  if (message.role === 'tool')
    return { role: 'user', content: `Result of ${names.get(message.toolCallId) ?? 'the call'}:\n${message.content}` };
  if (message.role !== 'assistant') return { ...message };
  const calls =
    message.toolCalls.length > 0
      ? message.toolCalls.map(toObject)
      : [{ tool: doneTool, arguments: { summary: message.content } }];
  return {
    role: 'assistant',
    content: writeCalls(message.toolCalls.length > 0 ? message.content : '', calls),
    toolCalls: [],
  };
}

function toObject(call: ToolCall): object {
  return { tool: call.name, arguments: parseJsonText(call.arguments)?.value ?? call.arguments.slice(0, 200) };
}
