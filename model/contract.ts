/** What Jig asks of a model: one question, one answer. Retries are the caller's. */
import { z } from 'zod';
import { JigError, type ErrorCode } from '../base/errors.ts';

export const ToolCall = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** As the model wrote it: text that may not be JSON. */
  arguments: z.string(),
});
export type ToolCall = z.infer<typeof ToolCall>;

export const Message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: z.string() }),
  z.strictObject({ role: z.literal('user'), content: z.string() }),
  z.strictObject({ role: z.literal('assistant'), content: z.string(), toolCalls: z.array(ToolCall) }),
  z.strictObject({ role: z.literal('tool'), toolCallId: z.string(), content: z.string() }),
]);
export type Message = z.infer<typeof Message>;

export interface ToolDefinition {
  name: string;
  description: string;
  /** JSON Schema of the arguments. */
  parameters: Record<string, unknown>;
}

export const Usage = z.strictObject({
  inputTokens: z.number().int().nonnegative(),
  cachedInputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  costUsd: z.number().nonnegative(),
  /** `costUsd` is 0 because nobody knows this model's price. */
  unpriced: z.literal(true).optional(),
});
export type Usage = z.infer<typeof Usage>;

export interface ModelRequest {
  /** The model's name; the configured one where missing. */
  model?: string;
  messages: Message[];
  tools?: ToolDefinition[];
  /** The answer must be JSON of this JSON Schema. */
  answer?: { name: string; schema: Record<string, unknown> };
  /**
   * Names this question for ever: `<runId>/<stepPath>/<turn>`, where the run id holds no `/` and turns count from 1.
   * Sent as an idempotency key; recordings and scripts are found by it, without the run id.
   */
  key: string;
}

export interface ModelResponse {
  /** The model that answered, as it calls itself. */
  model: string;
  content: string;
  toolCalls: ToolCall[];
  stopReason: 'stop' | 'tool-calls' | 'length' | 'content-filter';
  usage: Usage;
}

export interface Model {
  /** `live`: a model's server; `recorded`: a real model's kept replies; `scripted`: replies written by hand. */
  readonly source: 'live' | 'recorded' | 'scripted';
  readonly name: string;
  /** How tools are offered: natively, or by JSON that the server enforces, or in plain text. */
  readonly protocol: 'native' | 'json' | 'text';
  /** Tokens that the model can hold. */
  readonly contextTokens: number;
  /** Tokens of one answer at most, what it thinks before included. */
  readonly answerTokens: number;
  /** Whether costs are known, so that a budget in dollars can be enforced. `model` where a request names another one. */
  isPriced(model?: string): boolean;
  /** @throws ModelFailure; may be repeated; ends promptly on abort. */
  ask(request: ModelRequest, signal?: AbortSignal): Promise<ModelResponse>;
}

export type ModelFailureCode = Exclude<
  Extract<ErrorCode, `model-${string}`>,
  'model-not-configured' | 'model-config-invalid'
>;

/** A question without an answer; `retryable` says whether the same question can be mended by asking again. */
export class ModelFailure extends JigError {
  override name = 'ModelFailure';
  declare readonly code: ModelFailureCode;
  constructor(
    code: ModelFailureCode,
    message: string,
    { retryable, ...options }: { retryable: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    super(code, message, { retryable, ...options });
  }
}

const usualAnswerTokens = 16_384;

/** The bound of an answer: without one a small model rambles, and an answer must leave room for its question. */
export function boundAnswerTokens(contextTokens: number, wantedTokens: number = usualAnswerTokens): number {
  return Math.min(wantedTokens, Math.floor(contextTokens / 4));
}

/** Tokens that a text takes, estimated on the high side: three characters of ASCII, or one of anything else. */
export function estimateTokens(text: string): number {
  let wide = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) wide++;
  return Math.ceil((text.length - wide) / 3) + wide;
}
