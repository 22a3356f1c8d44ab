/**
 * A server that answers from a script over the OpenAI protocol on a real socket: a model outside the worker's process,
 * with a ledger of what was asked. For crash tests and the adapter's own tests.
 */
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Message, ModelResponse } from './contract.ts';
import { findReply, Script, toResponse, type ScriptedFault, type ScriptInput } from './script.ts';

interface LedgerEntry {
  at: string;
  key: string;
  /** `answered`: a new answer that costs; `repeated`: the same answer again for the same key. */
  outcome: 'answered' | 'repeated' | 'fault' | 'no-reply';
  /** The request's body as received. */
  request: unknown;
}

export interface ScriptedServer extends AsyncDisposable {
  /** The address to use as `OPENAI_BASE_URL`. */
  baseUrl: string;
  ledger: LedgerEntry[];
  close(): Promise<void>;
}

interface Exchange {
  script: Script;
  answers: Map<string, ModelResponse>;
  asked: Map<string, number>;
  note: (key: string, outcome: LedgerEntry['outcome'], request: unknown) => void;
}

const Body = z.object({
  messages: z.array(z.object({ role: z.string(), content: z.string().nullish() })),
});

/**
 * Starts a server on a free port of the loopback address. `ledgerPath` also gets every entry, without the request, as a
 * line of JSON.
 */
export async function startScriptedServer(
  input: ScriptInput,
  options: { ledgerPath?: string; port?: number } = {},
): Promise<ScriptedServer> {
  const ledger: LedgerEntry[] = [];
  const exchange: Exchange = {
    script: Script.parse(input),
    answers: new Map(),
    asked: new Map(),
    note(key, outcome, request) {
      const at = new Date().toISOString();
      ledger.push({ at, key, outcome, request });
      if (options.ledgerPath) appendFileSync(options.ledgerPath, `${JSON.stringify({ at, key, outcome })}\n`);
    },
  };
  const server = createServer((request, response) => {
    answerRequest(exchange, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: String(error) } }));
    });
  });
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  await listening;
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('the scripted server listens on no port');
  const close = async () => {
    const { promise: closed, resolve: ended } = Promise.withResolvers<void>();
    server.close(() => ended());
    server.closeAllConnections();
    await closed;
  };
  return { baseUrl: `http://127.0.0.1:${address.port}/v1`, ledger, close, [Symbol.asyncDispose]: close };
}

async function answerRequest(exchange: Exchange, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const raw: unknown = JSON.parse(Buffer.concat(await request.toArray()).toString('utf8') || 'null');
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') return sendError(response, 404, 'not found');
  const key = String(request.headers['idempotency-key'] ?? '');
  const messages = Body.parse(raw).messages.map((message): Message => ({
    role: 'user',
    content: message.content ?? '',
  }));
  const reply = findReply(exchange.script, { key, messages });
  if (!reply) {
    exchange.note(key, 'no-reply', raw);
    return sendError(response, 400, `the script has no reply to ${key}`);
  }
  const times = exchange.asked.get(key) ?? 0;
  exchange.asked.set(key, times + 1);
  const fault = reply.faults?.[times];
  if (fault) exchange.note(key, 'fault', raw);
  if (fault?.hang) return;
  if (reply.delayMs) await sleep(reply.delayMs);
  if (fault && !fault.cut) return sendFault(response, fault);

  const answer = exchange.answers.get(key) ?? toResponse(exchange.script, reply, { key, messages });
  if (!fault) {
    exchange.note(key, exchange.answers.has(key) ? 'repeated' : 'answered', raw);
    exchange.answers.set(key, answer);
  }
  sendAnswer(response, answer, fault?.cut === true);
}

function sendFault(response: ServerResponse, fault: ScriptedFault): void {
  const status = fault.status ?? 200;
  const body = fault.body ?? JSON.stringify({ error: { message: `scripted status ${status}` } });
  response.writeHead(status, { 'content-type': 'application/json', ...fault.headers }).end(body);
}

function sendError(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message } }));
}

function sendAnswer(response: ServerResponse, answer: ModelResponse, cut: boolean): void {
  const chunks = [...answerChunks(answer)];
  const sent = cut ? chunks.slice(0, Math.ceil(chunks.length / 2)) : chunks;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of sent)
    response.write(
      `data: ${JSON.stringify({ id: 'scripted', object: 'chat.completion.chunk', model: answer.model, ...chunk })}\n\n`,
    );
  if (cut) response.end(() => response.destroy());
  else response.end('data: [DONE]\n\n');
}

/** The answer in pieces: each text and each call's arguments in two, since real servers cut them anywhere. */
function* answerChunks(answer: ModelResponse): Generator<object> {
  for (const content of splitInHalf(answer.content)) yield delta({ content });
  for (const [index, call] of answer.toolCalls.entries()) {
    yield delta({
      tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }],
    });
    for (const part of splitInHalf(call.arguments))
      yield delta({ tool_calls: [{ index, function: { arguments: part } }] });
  }
  const finishReason = {
    stop: 'stop',
    'tool-calls': 'tool_calls',
    length: 'length',
    'content-filter': 'content_filter',
  }[answer.stopReason];
  yield { choices: [{ index: 0, delta: {}, finish_reason: finishReason }] };
  const { inputTokens, cachedInputTokens, outputTokens } = answer.usage;
  const usage = {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
  yield { choices: [], usage: { ...usage, prompt_tokens_details: { cached_tokens: cachedInputTokens } } };
}

function delta(part: object): object {
  return { choices: [{ index: 0, delta: part, finish_reason: null }] };
}

function splitInHalf(text: string): string[] {
  const middle = Math.floor(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}
