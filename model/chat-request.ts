/** Writes a question as the body of a Chat Completions request, in a server's dialect. */
import type { ExtraFields, Message, ModelRequest, ToolCall } from './contract.ts';
import type { Dialect } from './dialect.ts';

/** Stands for a message without a text, which several servers refuse. */
const emptyText = '(empty)';
/** What the model says between the result of a tool and a user's words, where a server wants that. */
const readTheResult = 'I have read the result.';

export interface RequestSettings {
  name: string;
  answerTokens: number;
  temperature?: number;
}

export function encodeRequest(
  { name, answerTokens, temperature }: RequestSettings,
  request: ModelRequest,
  dialect: Dialect,
): object {
  const { tools, model = name } = request;
  const {
    answerLimits: [limit],
    stream,
    streamUsage,
  } = dialect;
  const format = encodeFormat(request, dialect);
  return {
    model,
    messages: encodeMessages(request.messages, dialect),
    ...(stream && { stream }),
    ...(stream && streamUsage && { stream_options: { include_usage: true } }),
    ...(temperature !== undefined && dialect.temperature && { temperature }),
    ...(tools?.length && {
      tools: tools.map((tool) => ({ type: 'function', function: { ...tool } })),
      ...(!dialect.severalCalls && dialect.parallelToolCalls && { parallel_tool_calls: false }),
    }),
    ...(format && { response_format: format }),
    ...(limit && { [limit]: answerTokens }),
  };
}

function encodeFormat({ answer }: ModelRequest, { answerFormats: [format] }: Dialect): object | undefined {
  if (!answer || !format) return undefined;
  if (format === 'json_object') return { type: format };
  return { type: format, json_schema: { name: answer.name, schema: answer.schema } };
}

type AssistantMessage = Extract<Message, { role: 'assistant' }>;

function encodeMessages(messages: Message[], dialect: Dialect): object[] {
  const spoken = dialect.severalCalls
    ? messages
    : messages.flatMap((message, index) => splitCalls(message, messages.slice(index + 1)));
  const grouped = joinUsers(dialect.systemMessages ? spoken : withoutSystem(spoken));
  return grouped.flatMap((message, index) => {
    const speaksTooEarly = !dialect.userAfterTool && message.role === 'user' && grouped[index - 1]?.role === 'tool';
    return [
      ...(speaksTooEarly ? [{ role: 'assistant', content: readTheResult }] : []),
      encodeMessage(message, dialect),
    ];
  });
}

/** One user message in place of several in a row, because many chat templates want the roles to take turns. */
function joinUsers(messages: Message[]): Message[] {
  const joined: Message[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (message.role !== 'user' || last?.role !== 'user') joined.push(message);
    else joined[joined.length - 1] = { ...message, content: `${last.content}\n\n${message.content}` };
  }
  return joined;
}

/** The conversation with its system messages as user messages. */
function withoutSystem(messages: Message[]): Message[] {
  return messages.map((message) => (message.role === 'system' ? { ...message, role: 'user' } : message));
}

/** A message for each call of an answer, each followed by its result. */
function splitCalls(message: Message, later: Message[]): Message[] {
  if (message.role === 'tool') return [];
  if (message.role !== 'assistant' || message.toolCalls.length === 0) return [message];
  return message.toolCalls.flatMap((call, index): Message[] => {
    const result = later.find((said) => said.role === 'tool' && said.toolCallId === call.id);
    const { extra, ...bare } = message;
    const alone: AssistantMessage = { ...(index === 0 ? message : { ...bare, content: '' }), toolCalls: [call] };
    return result ? [alone, result] : [alone];
  });
}

function encodeMessage(message: Message, dialect: Dialect): object {
  if (message.role === 'tool')
    return { role: 'tool', tool_call_id: message.toolCallId, content: message.content || emptyText };
  if (message.role !== 'assistant') return { role: message.role, content: message.content || emptyText };
  const { content: parts, ...fields } = wantedFields(message.extra, dialect);
  const text = message.content || (message.toolCalls.length > 0 ? '' : emptyText);
  return {
    role: 'assistant',
    content: Array.isArray(parts) ? [...parts, ...(text ? [{ type: 'text', text }] : [])] : text,
    ...(message.toolCalls.length > 0 && { tool_calls: message.toolCalls.map((call) => encodeCall(call, dialect)) }),
    ...fields,
  };
}

function encodeCall({ id, name, arguments: given, extra }: ToolCall, dialect: Dialect): object {
  return { id, type: 'function', function: { name, arguments: given }, ...wantedFields(extra, dialect) };
}

function wantedFields(extra: ExtraFields = {}, { unwantedFields }: Dialect): ExtraFields {
  return Object.fromEntries(Object.entries(extra).filter(([name]) => !unwantedFields.includes(name)));
}
