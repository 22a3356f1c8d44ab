/** Stands before a server and breaks what it is told to break; everything else goes through. */
import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';

export type Fault =
  /** The server does it, and its answer never arrives. */
  | { kind: 'answer-lost' }
  /** The server does it, and the connection stays open without an answer. */
  | { kind: 'answer-held' }
  /** The server does it, and half of its answer arrives. */
  | { kind: 'answer-cut' }
  /** The server does it, and the answer is JSON that stops in the middle, well framed. */
  | { kind: 'json-cut' }
  /** The server hears nothing of it. */
  | { kind: 'status'; status: number; headers?: Record<string, string> };

export interface FaultyProxy {
  url: string;
  /** `METHOD path` of every request that came. */
  seen: string[];
  /** Breaks the next requests that match, one fault each. */
  breakNext(pattern: RegExp, ...faults: Fault[]): void;
  stop(): Promise<void>;
}

export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const seen: string[] = [];
  const waiting: { pattern: RegExp; fault: Fault }[] = [];
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    seen.push(line);
    const found = waiting.findIndex(({ pattern }) => pattern.test(line));
    const fault = found < 0 ? undefined : waiting.splice(found, 1)[0]?.fault;
    if (fault?.kind === 'status')
      response
        .writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers })
        .end('{"message":"broken on purpose"}');
    else pass(target, request, response, fault);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    breakNext(pattern, ...faults) {
      waiting.push(...faults.map((fault) => ({ pattern, fault })));
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function pass(target: string, request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
  const { host: _, ...headers } = request.headers;
  const upstream = forward(new URL(request.url ?? '/', target), { method: request.method, headers }, (answer) => {
    if (!fault) {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      return;
    }
    const parts: Buffer[] = [];
    answer
      .on('data', (part: Buffer) => parts.push(part))
      .on('end', () => {
        const body = Buffer.concat(parts);
        const half = body.subarray(0, body.length / 2);
        if (fault.kind === 'answer-held') return;
        if (fault.kind === 'answer-lost') response.destroy();
        else if (fault.kind === 'json-cut')
          response.writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' }).end(half);
        else
          response
            .writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json', 'content-length': body.length })
            .write(half, () => response.destroy());
      });
  });
  upstream.on('error', () => response.destroy());
  request.pipe(upstream);
}
