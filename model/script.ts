/** Replies written by hand: the form of a script, and how the reply to a question is found. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { estimateTokens, type ModelRequest, type ModelResponse } from './contract.ts';
import { parseQuestionKey } from './question-key.ts';

const Fault = z.strictObject({
  /** An HTTP status. */
  status: z.number().int().min(200).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  /** The body that the server sends, whatever the status. */
  body: z.string().optional(),
  /** The stream ends in the middle of the answer. */
  cut: z.boolean().optional(),
  /** The server never answers. */
  hang: z.boolean().optional(),
});

const Reply = z.strictObject({
  /** The path of the step that this reply is for; `*` stands for any text. Any step if missing. */
  step: z.string().min(1).max(500).optional(),
  /** The turn, from 1. If missing, the step's replies are taken in order. */
  turn: z.number().int().positive().optional(),
  /** Only for a question whose messages hold this text. */
  contains: z.string().min(1).optional(),
  text: z.string().optional(),
  /** The text as a JSON value, for a `prompt`. */
  answer: z.json().optional(),
  calls: z
    .array(z.strictObject({ tool: z.string(), arguments: z.union([z.record(z.string(), z.json()), z.string()]) }))
    .optional(),
  stopReason: z.enum(['stop', 'tool-calls', 'length', 'content-filter']).optional(),
  delayMs: z.number().int().nonnegative().max(600_000).optional(),
  /** The faults that the first questions with the same key get, before the reply comes. */
  faults: z.array(Fault).max(100).optional(),
  usage: z
    .strictObject({
      inputTokens: z.number().int().nonnegative(),
      outputTokens: z.number().int().nonnegative(),
      costUsd: z.number().nonnegative().optional(),
    })
    .optional(),
});

export const Script = z.strictObject({
  script: z.literal('v1'),
  name: z.string().max(200).default('scripted'),
  protocol: z.enum(['native', 'json', 'text']).default('native'),
  contextTokens: z.number().int().positive().default(128_000),
  replies: z.array(Reply),
});
export type Script = z.infer<typeof Script>;
export type ScriptInput = z.input<typeof Script>;
export type ScriptedReply = z.infer<typeof Reply>;
export type ScriptedFault = z.infer<typeof Fault>;

const maxScriptChars = 4 * 1024 * 1024;

/** Reads a script in YAML or JSON. @throws ZodError, or YAML's error */
export async function readScript(path: string): Promise<Script> {
  const text = await readFile(path, 'utf8');
  if (text.length > maxScriptChars) throw new RangeError(`a script has at most ${maxScriptChars} characters: ${path}`);
  return Script.parse(parse(text, { maxAliasCount: 0 }));
}

/**
 * The reply to a question. Of the replies that fit the step and the text, it is the first that names the turn, else the
 * next in order. It depends only on the question, so a restarted process answers the same.
 */
export function findReply(script: Script, question: Pick<ModelRequest, 'key' | 'messages'>): ScriptedReply | undefined {
  const { stepPath, turn } = parseQuestionKey(question.key);
  const fitting = script.replies.filter(
    (reply) =>
      (reply.step === undefined || fitsPattern(reply.step, stepPath)) &&
      (reply.contains === undefined ||
        question.messages.some((message) => message.content.includes(reply.contains ?? ''))),
  );
  return fitting.find((reply) => reply.turn === turn) ?? fitting.filter((reply) => reply.turn === undefined)[turn - 1];
}

/** The reply as a model's response. */
export function toResponse(
  script: Script,
  reply: ScriptedReply,
  question: Pick<ModelRequest, 'key' | 'messages'>,
): ModelResponse {
  const toolCalls = (reply.calls ?? []).map((call, index) => ({
    id: `call_${parseQuestionKey(question.key).turn}_${index + 1}`,
    name: call.tool,
    arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
  }));
  const content = reply.text ?? (reply.answer === undefined ? '' : JSON.stringify(reply.answer));
  return {
    model: script.name,
    content,
    toolCalls,
    stopReason: reply.stopReason ?? (toolCalls.length > 0 ? 'tool-calls' : 'stop'),
    usage: {
      inputTokens:
        reply.usage?.inputTokens ?? estimateTokens(question.messages.map((message) => message.content).join('\n')),
      cachedInputTokens: 0,
      outputTokens:
        reply.usage?.outputTokens ?? estimateTokens(content + toolCalls.map((call) => call.arguments).join('')),
      costUsd: reply.usage?.costUsd ?? 0,
    },
  };
}

/** Matches a pattern in which `*` stands for any text. */
function fitsPattern(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= text.length - last.length;
}
