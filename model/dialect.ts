/**
 * How one server wants to be asked. The protocol has several dialects, and no server says which one it speaks. It is
 * found out by asking: a request that is refused because of something that it names is sent again without that.
 */
import type { ModelRequest } from './contract.ts';

/** Lists hold what to try, the best first. An empty list means: leave it out. */
export interface Dialect {
  /** How an answer's JSON Schema is given. Without either, only the question's text has it. */
  answerFormats: readonly ('json_schema' | 'json_object')[];
  /** The parameter for the most tokens of an answer. */
  answerLimits: readonly ('max_tokens' | 'max_completion_tokens')[];
  /** Whether answers come in pieces, and whether usage is asked for with them. */
  stream: boolean;
  streamUsage: boolean;
  /** Whether a configured temperature is sent. */
  temperature: boolean;
  /** Whether there are system messages. If not, their text begins the first user message. */
  systemMessages: boolean;
  /** Whether the server takes tools. If not, they have to be offered in another protocol. */
  tools: boolean;
  /** Whether a message may hold several calls. If not, each call and its result have a message of their own. */
  severalCalls: boolean;
  /** Whether the server may be told that it must not make several calls. */
  parallelToolCalls: boolean;
  /** Whether a user may speak after the result of a tool. If not, the model has to speak between them. */
  userAfterTool: boolean;
  /** The extra fields of earlier answers that the server doesn't want back. */
  unwantedFields: readonly string[];
}

/** What most servers understand. */
export const commonDialect: Dialect = {
  answerFormats: ['json_schema', 'json_object'],
  answerLimits: ['max_tokens', 'max_completion_tokens'],
  stream: true,
  streamUsage: true,
  temperature: true,
  systemMessages: true,
  tools: true,
  severalCalls: true,
  parallelToolCalls: true,
  userAfterTool: true,
  unwantedFields: [],
};

/** What a server said against a request. */
export interface Refusal {
  /** The server's words, with the names of the parameter and of the error. */
  text: string;
  /** The request that was refused. */
  request: ModelRequest;
}

/** A part of the dialect that a refusal is about. */
interface Rule {
  isMeant: (refusal: Refusal, dialect: Dialect) => boolean;
  change: (dialect: Dialect, refusal: Refusal) => Dialect;
  /** Whether only this question is meant, and the next one may be asked as before. */
  onlyHere?: (refusal: Refusal) => boolean;
}

/** How servers say that a model, or the way in which it was started, has no tools. */
const saysNoTools =
  /(not|n't) (currently )?support.{0,20}(tool|function)|(tool|function).{0,20}(not|un).?(support|enabled|available)|support tool use|tool.?choice.{0,40}requires|tools?.{0,20}requires? --jinja/i;

const rules: Rule[] = [
  {
    isMeant: ({ text }, { stream, streamUsage }) => stream && streamUsage && /stream_options|include_usage/i.test(text),
    change: (dialect) => ({ ...dialect, streamUsage: false }),
  },
  {
    // A server may name only what it wants instead.
    isMeant: ({ text }, { answerLimits }) =>
      answerLimits.length > 0 && commonDialect.answerLimits.some((limit) => names(text, limit)),
    change: (dialect, { text }) => ({
      ...dialect,
      answerLimits: saysTooMuch(text) ? [] : dialect.answerLimits.slice(1),
    }),
    // In a shorter conversation, there is room for the whole answer.
    onlyHere: ({ text }) => saysTooMuch(text) && /context/i.test(text),
  },
  {
    isMeant: ({ text, request }, { answerFormats }) =>
      request.answer !== undefined &&
      answerFormats.length > 0 &&
      /response.?format|json.?schema|json.?object|json.?mode|structured.?output|guided|grammar/i.test(text),
    change: (dialect) => ({ ...dialect, answerFormats: dialect.answerFormats.slice(1) }),
    onlyHere: ({ text }) => /invalid (json.?)?schema|grammar/i.test(text),
  },
  {
    isMeant: ({ text }, { temperature }) => temperature && names(text, 'temperature'),
    change: (dialect) => ({ ...dialect, temperature: false }),
  },
  {
    isMeant: ({ text }, { severalCalls }) =>
      severalCalls && /single tool.?call|one tool.?call|(multiple|parallel) tool.?calls/i.test(text),
    change: (dialect) => ({ ...dialect, severalCalls: false }),
  },
  {
    isMeant: ({ text }, { severalCalls, parallelToolCalls }) =>
      !severalCalls && parallelToolCalls && names(text, 'parallel_tool_calls'),
    change: (dialect) => ({ ...dialect, parallelToolCalls: false }),
  },
  {
    isMeant: ({ text, request }, { tools }) => tools && Boolean(request.tools?.length) && saysNoTools.test(text),
    change: (dialect) => ({ ...dialect, tools: false }),
  },
  {
    isMeant: ({ text }, { userAfterTool }) =>
      userAfterTool && /role.{0,5}user.{0,20}after.{0,20}tool|message_order|roles must alternate/i.test(text),
    change: (dialect) => ({ ...dialect, userAfterTool: false }),
  },
  {
    isMeant: ({ text }, { systemMessages }) =>
      systemMessages &&
      /system (role|message|prompt)s?.{0,40}not.{0,10}(supported|enabled|allowed)|role.{0,5}system|developer instruction/i.test(
        text,
      ),
    change: (dialect) => ({ ...dialect, systemMessages: false }),
  },
  {
    isMeant: (refusal, dialect) => unwantedIn(refusal, dialect).length > 0,
    change: (dialect, refusal) => ({
      ...dialect,
      unwantedFields: [...dialect.unwantedFields, ...unwantedIn(refusal, dialect)],
    }),
  },
  {
    isMeant: ({ text }, { stream }) =>
      stream &&
      (/must be verified to stream|stream(ing)?.{0,30}(not supported|unsupported|not support)|not support.{0,10}stream/i.test(
        text,
      ) ||
        /["'`]stream["'`]/.test(text)),
    change: (dialect) => ({ ...dialect, stream: false }),
  },
];

/**
 * The dialect to ask again in after a refusal, and whether to keep to it. Undefined if the refusal is about nothing that
 * can be left out.
 */
export function adaptDialect(dialect: Dialect, refusal: Refusal): { dialect: Dialect; keep: boolean } | undefined {
  const rule = rules.find(({ isMeant }) => isMeant(refusal, dialect));
  return rule && { dialect: rule.change(dialect, refusal), keep: !rule.onlyHere?.(refusal) };
}

/** Whether a text names a parameter, and not a longer one that ends or begins with it. */
function names(text: string, parameter: string): boolean {
  return text.split(/[^A-Za-z0-9_]+/).includes(parameter);
}

/** Whether a limit is refused because of its value. */
function saysTooMuch(text: string): boolean {
  return /too (large|big|high|many)|at most|exceed|less than or equal|maximum/i.test(text);
}

/** The extra fields of the request that a refusal names, unless it misses them. */
function unwantedIn({ text, request }: Refusal, { unwantedFields }: Dialect): string[] {
  if (/must be (passed|provided|included|sent|set)|missing|required/i.test(text)) return [];
  const extras = request.messages.flatMap((message) =>
    message.role === 'assistant' ? [message.extra, ...message.toolCalls.map(({ extra }) => extra)] : [],
  );
  const sent = new Set(extras.flatMap((extra) => Object.keys(extra ?? {})));
  return [...sent].filter((name) => !unwantedFields.includes(name) && names(text, name));
}
