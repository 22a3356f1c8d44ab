/** The contract of a model: one question, one answer. The caller retries. */
import { z } from 'zod';
import { JigError, type ErrorCode } from '../base/errors.ts';

/**
 * What a server sent beside the fields that Jig knows, such as a model's reasoning or a signature. Nobody reads it: it
 * goes back to the server as it came.
 */
const ExtraFields = z.record(z.string(), z.json());
export type ExtraFields = z.infer<typeof ExtraFields>;

export const ToolCall = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** The text that the model wrote, which may not be JSON. */
  arguments: z.string(),
  extra: ExtraFields.optional(),
});
export type ToolCall = z.infer<typeof ToolCall>;

export const Message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: z.string() }),
  z.strictObject({ role: z.literal('user'), content: z.string() }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.string(),
    toolCalls: z.array(ToolCall),
    extra: ExtraFields.optional(),
  }),
  z.strictObject({ role: z.literal('tool'), toolCallId: z.string(), content: z.string() }),
]);
export type Message = z.infer<typeof Message>;

/** A tool as the model is told about it. */
export interface ToolDefinition {
  name: string;
  description: string;
  /** The JSON Schema of the arguments. */
  parameters: Record<string, unknown>;
}

export const Usage = z.strictObject({
  inputTokens: z.number().int().nonnegative(),
  cachedInputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  costUsd: z.number().nonnegative(),
  /** `costUsd` is 0 because this model's price is unknown. */
  unpriced: z.literal(true).optional(),
});
export type Usage = z.infer<typeof Usage>;

/** A question to a model. */
export interface ModelRequest {
  /** The model's name; the configured one if missing. */
  model?: string;
  messages: Message[];
  tools?: ToolDefinition[];
  /** The answer must be JSON that fits this JSON Schema. */
  answer?: { name: string; schema: Record<string, unknown> };
  /**
   * The permanent name of this question: `<runId>/<stepPath>/<turn>`, where the run id holds no `/` and turns count
   * from 1. It is sent as an idempotency key. Recordings and scripts find the question by it, without the run id.
   */
  key: string;
}

/** How tools are offered: natively, as JSON that the server enforces, or in plain text. */
const ModelProtocol = z.enum(['native', 'json', 'text']);
export type ModelProtocol = z.infer<typeof ModelProtocol>;

/** A model's answer. */
export const ModelResponse = z.strictObject({
  /** The name of the model that answered, in the server's words. */
  model: z.string(),
  content: z.string(),
  /** What the model said instead of an answer, if it refused to give one. */
  refusal: z.string().optional(),
  toolCalls: z.array(ToolCall),
  stopReason: z.enum(['stop', 'tool-calls', 'length', 'content-filter']),
  /** What the answer cost, with the tries that were paid for and gave none. */
  usage: Usage,
  extra: ExtraFields.optional(),
  /** The protocol of its question, if that wasn't the model's own. */
  protocol: ModelProtocol.optional(),
});
export type ModelResponse = z.infer<typeof ModelResponse>;

/** A model that can be asked. */
export interface Model {
  /** `live`: a model's server; `recorded`: a real model's recorded replies; `scripted`: replies written by hand. */
  readonly source: 'live' | 'recorded' | 'scripted';
  readonly name: string;
  readonly protocol: ModelProtocol;
  /** The protocol for a question whose tools the server refuses. Missing if `protocol` was chosen by a person. */
  readonly protocolWithoutTools?: ModelProtocol;
  /** The size of the model's context in tokens. */
  readonly contextTokens: number;
  /** The most tokens of one answer, including its reasoning. */
  readonly answerTokens: number;
  /**
   * Whether costs are known, so that a dollar budget can be enforced. `model` is for a request that names another
   * model.
   */
  isPriced(model?: string): boolean;
  /** Asks the model. Repeatable; ends promptly on abort. @throws ModelFailure */
  ask(request: ModelRequest, signal?: AbortSignal): Promise<ModelResponse>;
}

export type ModelFailureCode = Exclude<
  Extract<ErrorCode, `model-${string}`>,
  'model-not-configured' | 'model-config-invalid'
>;

/** A question got no answer. `retryable` says whether asking again may help. */
export class ModelFailure extends JigError {
  override name = 'ModelFailure';
  declare readonly code: ModelFailureCode;
  /** What it cost all the same, if the model had begun to answer. */
  usage: Usage | undefined;
  /** Whether the server refused the question because it offered tools. */
  refusesTools = false;
  constructor(
    code: ModelFailureCode,
    message: string,
    { retryable, usage, ...options }: { retryable: boolean; retryAfterMs?: number; cause?: unknown; usage?: Usage },
  ) {
    super(code, message, { retryable, ...options });
    this.usage = usage;
  }
}

const usualAnswerTokens = 16_384;

/**
 * The token limit of an answer. Without a limit a small model rambles, and an answer must leave room for its question.
 */
export function boundAnswerTokens(contextTokens: number, wantedTokens: number = usualAnswerTokens): number {
  return Math.min(wantedTokens, Math.floor(contextTokens / 4));
}

/** Estimates the tokens of a text on the high side: one for three ASCII characters, or for one of any other. */
export function estimateTokens(text: string): number {
  let wide = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) wide++;
  return Math.ceil((text.length - wide) / 3) + wide;
}
