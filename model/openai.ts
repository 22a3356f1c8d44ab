/**
 * A model behind the OpenAI protocol (Chat Completions): OpenAI itself, or any compatible server such as llama.cpp's.
 */
import OpenAI, { APIError } from 'openai';
import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { readAnswerStream } from './answer-stream.ts';
import { createBoundedFetch, maxWireBytes } from './bounded-fetch.ts';
import { classifyFailure } from './classify.ts';
import {
  boundAnswerTokens,
  estimateTokens,
  ModelFailure,
  type Message,
  type Model,
  type ModelRequest,
  type ModelResponse,
} from './contract.ts';
import { findPrice, priceUsage, type PriceTable } from './prices.ts';

export interface OpenAiModelOptions {
  name: string;
  /** A self-hosted server often needs none. */
  apiKey?: string;
  /** The server's address; OpenAI's if missing. */
  baseUrl?: string;
  /** `auto` offers tools natively. Calls that the model then writes as text are understood anyway. */
  protocol?: 'auto' | Model['protocol'];
  contextTokens: number;
  /** The most tokens of one answer. Also limited to a quarter of `contextTokens`. */
  answerTokens?: number | undefined;
  /** Extends and overrides the known prices. */
  prices?: PriceTable;
  /** The limit for a whole answer. */
  timeoutMs: number;
  /** The server's default if missing, because some models refuse any value. */
  temperature?: number;
}

type BoundedOptions = OpenAiModelOptions & { answerTokens: number };

/** Makes the model. Each question is sent once: the caller retries. */
export function createOpenAiModel(options: OpenAiModelOptions): Model {
  const client = new OpenAI({
    apiKey: options.apiKey ?? 'none',
    baseURL: options.baseUrl ?? null,
    maxRetries: 0,
    timeout: options.timeoutMs,
    logLevel: 'off',
    fetch: createBoundedFetch(maxWireBytes),
  });
  const bounded = { ...options, answerTokens: boundAnswerTokens(options.contextTokens, options.answerTokens) };
  const protocol = options.protocol === undefined || options.protocol === 'auto' ? 'native' : options.protocol;
  return {
    source: 'live',
    name: options.name,
    protocol,
    contextTokens: options.contextTokens,
    answerTokens: bounded.answerTokens,
    isPriced: (model = options.name) => findPrice(model, options.prices) !== undefined,
    ask: (request, signal) => ask(client, bounded, request, signal),
  };
}

async function ask(
  client: OpenAI,
  options: BoundedOptions,
  request: ModelRequest,
  signal?: AbortSignal,
): Promise<ModelResponse> {
  signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const eitherSignal = signal ? AbortSignal.any([signal, deadline]) : deadline;
  try {
    const { data: stream, response } = await client.chat.completions
      .create(encodeRequest(options, request), { signal: eitherSignal, headers: { 'Idempotency-Key': request.key } })
      .withResponse();
    await requireEventStream(response);
    const answer = await readAnswerStream(stream);
    // The client ends an aborted stream silently, as if it were complete.
    eitherSignal.throwIfAborted();
    const name = answer.model ?? request.model ?? options.name;
    const price = findPrice(request.model ?? options.name, options.prices) ?? findPrice(name, options.prices);
    const usage = priceUsage(answer.tokens ?? guessTokens(request, answer), price);
    return { model: name, content: answer.content, toolCalls: answer.toolCalls, stopReason: answer.stopReason, usage };
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.aborted) {
      throw new ModelFailure('model-timeout', `the model did not answer within ${options.timeoutMs} ms`, {
        retryable: true,
        cause: error,
      });
    }
    throw classifyFailure(error);
  }
}

function encodeRequest(options: BoundedOptions, request: ModelRequest): ChatCompletionCreateParamsStreaming {
  const { answer, tools } = request;
  return {
    model: request.model ?? options.name,
    messages: request.messages.map(encodeMessage),
    stream: true,
    stream_options: { include_usage: true },
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    ...(tools?.length ? { tools: tools.map((tool) => ({ type: 'function' as const, function: { ...tool } })) } : {}),
    ...(answer
      ? { response_format: { type: 'json_schema' as const, json_schema: { name: answer.name, schema: answer.schema } } }
      : {}),
    // Servers other than OpenAI's know only the older name.
    [isOpenAi(options.baseUrl) ? 'max_completion_tokens' : 'max_tokens']: options.answerTokens,
  };
}

function isOpenAi(baseUrl: string | undefined): boolean {
  return baseUrl === undefined || new URL(baseUrl).hostname === 'api.openai.com';
}

function encodeMessage(message: Message): ChatCompletionMessageParam {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
  if (message.role !== 'assistant') return { role: message.role, content: message.content };
  const calls = message.toolCalls.map((call) => ({
    id: call.id,
    type: 'function' as const,
    function: { name: call.name, arguments: call.arguments },
  }));
  return { role: 'assistant', content: message.content, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
}

/** Checks that a 200 response is an event stream. Otherwise it holds an error, or an unrelated page. */
async function requireEventStream(response: Response): Promise<void> {
  const type = response.headers.get('content-type') ?? '';
  if (type.toLowerCase().startsWith('text/event-stream')) return;
  const body = await response.text();
  const error = parseJsonError(body);
  if (error) throw new APIError(undefined, error, undefined, response.headers);
  throw new ModelFailure(
    'model-nonsense',
    `the model's server answered with ${type || 'no content type'} instead of an event stream: ${body.slice(0, 500)}`,
    { retryable: true },
  );
}

function parseJsonError(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const error = typeof value === 'object' && value !== null && 'error' in value ? value.error : undefined;
    if (typeof error === 'string') return { message: error };
    return typeof error === 'object' && error !== null ? error : undefined;
  } catch {
    return undefined;
  }
}

/** Estimates the tokens for servers that send no usage, since a budget needs a number. */
function guessTokens(request: ModelRequest, answer: Pick<ModelResponse, 'content' | 'toolCalls'>) {
  return {
    inputTokens: estimateTokens(JSON.stringify(request.messages)),
    cachedInputTokens: 0,
    outputTokens: estimateTokens(answer.content + answer.toolCalls.map((call) => call.arguments).join('')),
  };
}
