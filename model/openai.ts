/**
 * A model behind the OpenAI protocol (Chat Completions): OpenAI itself, or any compatible server such as llama.cpp's.
 */
import OpenAI, { APIError } from 'openai';
import { Stream } from 'openai/core/streaming';
import { z } from 'zod';
import { AnswerBuilder, type StreamedAnswer } from './answer-stream.ts';
import { createBoundedFetch, maxWireBytes } from './bounded-fetch.ts';
import { encodeRequest } from './chat-request.ts';
import { classifyFailure, refusalText } from './classify.ts';
import {
  boundAnswerTokens,
  estimateTokens,
  ModelFailure,
  type Model,
  type ModelRequest,
  type ModelResponse,
  type Usage,
} from './contract.ts';
import { adaptDialect, commonDialect, type Dialect } from './dialect.ts';
import { findServerError, parseServerError } from './error-body.ts';
import { findPrice, priceUsage, type PriceTable } from './prices.ts';

export interface OpenAiModelOptions {
  name: string;
  /** A self-hosted server often needs none. */
  apiKey?: string;
  /** The server's address; OpenAI's if missing. */
  baseUrl?: string;
  /** What is known of the server's dialect. The rest is found out by asking. */
  dialect?: Partial<Dialect>;
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

/** A server, and what was learnt about it. */
interface Server {
  client: OpenAI;
  options: OpenAiModelOptions & { answerTokens: number };
  /** The dialect of each model, since a gateway has several. */
  dialects: Map<string, Dialect>;
}

/**
 * Makes the model. Each question is sent once: the caller retries. Only a request that the server refuses because of
 * something that can be left out is sent again at once without it, and so are later ones.
 */
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
  const server: Server = { client, options: bounded, dialects: new Map() };
  const { protocol = 'auto' } = options;
  return {
    source: 'live',
    name: options.name,
    ...(protocol === 'auto' ? { protocol: 'native', protocolWithoutTools: 'json' } : { protocol }),
    contextTokens: options.contextTokens,
    answerTokens: bounded.answerTokens,
    isPriced: (model = options.name) => findPrice(model, options.prices) !== undefined,
    ask: (request, signal) => ask(server, request, signal),
  };
}

async function ask(server: Server, request: ModelRequest, signal?: AbortSignal): Promise<ModelResponse> {
  signal?.throwIfAborted();
  const { options } = server;
  const model = request.model ?? options.name;
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const eitherSignal = signal ? AbortSignal.any([signal, deadline]) : deadline;
  let dialect = server.dialects.get(model) ?? { ...commonDialect, ...options.dialect };
  if (request.tools?.length && !dialect.tools) throw refusedTools(`${model} can’t call tools`);
  for (;;) {
    const answer = new AnswerBuilder();
    try {
      for await (const piece of await post(server, request, dialect, eitherSignal)) {
        const error = findServerError(piece);
        if (error) throw new APIError(undefined, error, undefined, new Headers());
        answer.add(piece);
      }
      // The client ends an aborted stream silently, as if it were complete.
      eitherSignal.throwIfAborted();
      const { tokens, ...whole } = answer.build();
      return { ...whole, model: whole.model ?? model, usage: usageOf(options, request, { ...whole, tokens }) };
    } catch (error) {
      signal?.throwIfAborted();
      const text = answer.hasBegun ? undefined : refusalText(error);
      const adapted = text === undefined ? undefined : adaptDialect(dialect, { text, request });
      if (!adapted) throw failureOf(error, { options, request, deadline, answer });
      dialect = adapted.dialect;
      if (adapted.keep) server.dialects.set(model, dialect);
      if (request.tools?.length && !dialect.tools) throw refusedTools(classifyFailure(error).message);
    }
  }
}

function refusedTools(why: string): ModelFailure {
  const message = `${why}. Set JIG_MODEL_PROTOCOL to json or text`;
  return Object.assign(new ModelFailure('model-refused', message, { retryable: false }), { refusesTools: true });
}

interface Asked {
  options: OpenAiModelOptions;
  request: ModelRequest;
  deadline: AbortSignal;
  answer: AnswerBuilder;
}

/** What a question ended with that got no answer, and what it cost if the model had begun to answer. */
function failureOf(error: unknown, { options, request, deadline, answer }: Asked): ModelFailure {
  const failure = deadline.aborted
    ? new ModelFailure('model-timeout', `the model did not answer within ${options.timeoutMs} ms`, {
        retryable: true,
        cause: error,
      })
    : classifyFailure(error);
  if (answer.hasBegun) failure.usage = usageOf(options, request, answer.soFar);
  return failure;
}

/** Sends the question once. Returns the pieces of the answer. */
async function post(
  { client, options }: Server,
  request: ModelRequest,
  dialect: Dialect,
  signal: AbortSignal,
): Promise<AsyncIterable<unknown> | Iterable<unknown>> {
  const controller = new AbortController();
  const response = await client
    .post('/chat/completions', {
      body: encodeRequest(options, request, dialect),
      signal: AbortSignal.any([signal, controller.signal]),
      headers: { 'Idempotency-Key': request.key },
    })
    .asResponse();
  const type = response.headers.get('content-type') ?? '';
  if (type.toLowerCase().startsWith('text/event-stream')) return Stream.fromSSEResponse(response, controller, client);
  const body = await response.text();
  // Some servers don't say that it is a stream.
  if (/^\s*(data|event|id)?:/.test(body)) return Stream.fromSSEResponse(new Response(body), controller, client);
  return [parseWholeAnswer(body, response.headers)];
}

/** Reads the body of a 200 response that is no event stream. @throws if it holds an error, or an unrelated page */
function parseWholeAnswer(body: string, headers: Headers): unknown {
  const error = parseServerError(body);
  if (error) throw new APIError(undefined, error, undefined, headers);
  const answer = Answer.safeParse(parseJson(body));
  if (answer.success) return answer.data;
  const type = headers.get('content-type') ?? 'no content type';
  throw new ModelFailure(
    'model-nonsense',
    `the model's server answered with ${type} instead of an event stream: ${body.slice(0, 500)}`,
    {
      retryable: true,
    },
  );
}

/** An answer in one piece, from a server that doesn't stream. */
const Answer = z.looseObject({ choices: z.array(z.unknown()).min(1) });

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** What an answer costs, or half of one. The tokens are estimated for servers that don't count them. */
function usageOf({ name, prices }: OpenAiModelOptions, request: ModelRequest, answer: StreamedAnswer): Usage {
  const price = findPrice(request.model ?? name, prices) ?? findPrice(answer.model ?? name, prices);
  return priceUsage(answer.tokens ?? estimateUsage(request, answer), price);
}

function estimateUsage(request: ModelRequest, { content, refusal = '', toolCalls, extra }: StreamedAnswer) {
  const thoughts = extra ? JSON.stringify(extra) : '';
  return {
    inputTokens: estimateTokens(JSON.stringify(request.messages)),
    cachedInputTokens: 0,
    outputTokens: estimateTokens(content + refusal + thoughts + toolCalls.map((call) => call.arguments).join('')),
  };
}
