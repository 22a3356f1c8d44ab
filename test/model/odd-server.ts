/** A server whose every answer is given as it goes over the wire. */
import { createServer } from 'node:http';
import { z } from 'zod';
import { createOpenAiModel, type OpenAiModelOptions } from '../../model/openai.ts';
import type { Model } from '../../model/contract.ts';

const Body = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })),
});
/** A request's body, with the parameters that it had. */
export type OddRequest = z.infer<typeof Body>;

/** The pieces of a stream, or a status with a body. */
export type OddAnswer = { pieces: unknown[] } | { status?: number; type?: string; body: unknown };

export interface OddServer extends AsyncDisposable {
  baseUrl: string;
  requests: OddRequest[];
  model: Model;
}

export async function startOddServer(
  answer: (request: OddRequest, asked: number) => OddAnswer,
  options: Partial<OpenAiModelOptions> = {},
): Promise<OddServer> {
  const requests: OddRequest[] = [];
  const server = createServer((incoming, response) => {
    void (async () => {
      const request = Body.parse(JSON.parse(Buffer.concat(await incoming.toArray()).toString()));
      const given = answer(request, requests.push(request));
      if ('pieces' in given) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const piece of given.pieces) response.write(`data: ${JSON.stringify(piece)}\n\n`);
        response.end('data: [DONE]\n\n');
      } else {
        response.writeHead(given.status ?? 200, { 'content-type': given.type ?? 'application/json' });
        response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body));
      }
    })();
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('the server listens on no port');
  const baseUrl = `http://127.0.0.1:${address.port}/v1`;
  const model = createOpenAiModel({ name: 'odd', baseUrl, contextTokens: 8192, timeoutMs: 5000, ...options });
  return {
    baseUrl,
    requests,
    model,
    async [Symbol.asyncDispose]() {
      const { promise: closed, resolve: ended } = Promise.withResolvers<void>();
      server.close(() => ended());
      server.closeAllConnections();
      await closed;
    },
  };
}

/** One piece of a stream. */
export const piece = (delta: object, rest: object = {}): object => ({ choices: [{ index: 0, delta, ...rest }] });
export const stop = (reason = 'stop'): object => piece({}, { finish_reason: reason });
export const usage = { choices: [], usage: { prompt_tokens: 50, completion_tokens: 10 } };
/** A whole stream that says these words. */
export const says = (text: string): OddAnswer => ({ pieces: [piece({ content: text }), stop(), usage] });
