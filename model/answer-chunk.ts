/**
 * Reads one piece of an answer. Servers differ in what they put into it. What Jig can do without may have any form, and
 * counts as missing if it can't be read. Only what an answer consists of must be right.
 */
import { z } from 'zod';
import { ModelFailure } from './contract.ts';

const Count = z.number().int().nonnegative();

/** Counts of tokens. A server that sends only a part of them has sent none. */
const Tokens = z.object({
  prompt_tokens: Count,
  completion_tokens: Count,
  prompt_tokens_details: z.object({ cached_tokens: Count }).optional().catch(undefined),
  /** DeepSeek's name for cached tokens. */
  prompt_cache_hit_tokens: Count.optional().catch(undefined),
});
const MaybeTokens = Tokens.optional().catch(undefined);

/** A text, or a list of parts, of which those with a text count: thinking is a part without one. */
const Content = z.union([
  z.string(),
  z.array(z.union([z.string(), z.object({ text: z.string().optional().catch(undefined) }).catchall(z.json())])),
]);

const FunctionPiece = z.object({
  name: z.string().nullish(),
  arguments: z.union([z.string(), z.record(z.string(), z.json())]).nullish(),
});

export const CallPiece = z
  .object({
    index: Count.optional().catch(undefined),
    id: z.string().max(300).optional().catch(undefined),
    type: z.unknown().optional(),
    function: FunctionPiece.nullish(),
  })
  .catchall(z.json());
export type CallPiece = z.infer<typeof CallPiece>;

const Delta = z
  .object({
    role: z.unknown().optional(),
    content: Content.nullish(),
    refusal: z.string().optional().catch(undefined),
    tool_calls: z.array(CallPiece).nullish(),
    /** The older form of a call. */
    function_call: FunctionPiece.optional().catch(undefined),
  })
  .catchall(z.json());
export type Delta = z.infer<typeof Delta>;

const Choice = z.object({
  finish_reason: z.string().optional().catch(undefined),
  delta: Delta.nullish(),
  /** The whole message, from a server that doesn't stream. */
  message: Delta.nullish(),
  /** Some servers count here. */
  usage: MaybeTokens,
});

const Chunk = z.object({
  model: z.string().max(300).optional().catch(undefined),
  choices: z.array(Choice).nullish(),
  usage: MaybeTokens,
});

/** What Jig takes from a piece. */
export interface ChunkContent {
  model: string | undefined;
  delta: Delta;
  /** Undefined if the server gave none, or an empty one. */
  finishReason: string | undefined;
  tokens: { inputTokens: number; cachedInputTokens: number; outputTokens: number } | undefined;
}

/** What servers write where there is no reason yet. */
const noReasons = new Set(['', 'null', 'none', 'None']);

/** Reads a piece. @throws ModelFailure `model-nonsense`, which names the field that can't be read, and its value */
export function parseChunk(raw: unknown): ChunkContent {
  const parsed = Chunk.safeParse(raw);
  if (!parsed.success)
    throw new ModelFailure(
      'model-nonsense',
      `the model's server sent a piece of an answer that can't be read: ${sayWhere(raw, parsed.error)}`,
      {
        retryable: true,
        cause: parsed.error,
      },
    );
  const { model, choices, usage } = parsed.data;
  const choice = choices?.[0];
  return {
    model: model === '' ? undefined : model,
    delta: choice?.delta ?? choice?.message ?? {},
    finishReason: noReasons.has(choice?.finish_reason ?? '') ? undefined : choice?.finish_reason,
    tokens: readTokens(usage ?? choice?.usage),
  };
}

function readTokens(tokens: z.infer<typeof MaybeTokens>): ChunkContent['tokens'] {
  // An answer takes tokens, so a count of none is no count.
  if (!tokens || tokens.prompt_tokens + tokens.completion_tokens === 0) return undefined;
  return {
    inputTokens: tokens.prompt_tokens,
    cachedInputTokens: tokens.prompt_tokens_details?.cached_tokens ?? tokens.prompt_cache_hit_tokens ?? 0,
    outputTokens: tokens.completion_tokens,
  };
}

function sayWhere(raw: unknown, error: z.ZodError): string {
  const path = error.issues[0]?.path ?? [];
  const value = path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[String(key)] : undefined), raw);
  const field = path.reduce<string>(
    (name, key) => (typeof key === 'number' ? `${name}[${key}]` : `${name}${name && '.'}${String(key)}`),
    '',
  );
  return `${field ? `its field ${field}` : 'it'} holds ${show(value)}`;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** A value as JSON, cut. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
