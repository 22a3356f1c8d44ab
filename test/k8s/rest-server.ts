/** An API server for requests other than exec, which answers as it is told: real HTTP, real connections. */
import { KubeConfig } from '@kubernetes/client-node';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { connectCluster, type Cluster } from '../../k8s/api.ts';

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  token: string;
  contentType: string;
}

/** `silence`: the request is taken and never answered; `hang-up`: the connection ends in place of an answer. */
export type Answer =
  | { status: number; body?: object; headers?: Record<string, string> }
  | { lines: AsyncIterable<object> }
  | 'silence'
  | 'hang-up';

export interface RestServer extends AsyncDisposable {
  cluster: Cluster;
  /** What was asked, in order. */
  asked: Asked[];
  connections: () => number;
}

export interface RestServerOptions {
  port?: number;
  unreachableTimeoutMs?: number;
  requestTimeoutMs?: number;
  /** The token of the kubeconfig, each time that it is read. */
  token?: () => string;
}

export async function startRestServer(
  answer: (asked: Asked, before: number) => Answer | Promise<Answer>,
  options: RestServerOptions = {},
): Promise<RestServer> {
  const asked: Asked[] = [];
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((request, response) => {
    void (async () => {
      const one = await readAsked(request);
      asked.push(one);
      await send(await answer(one, asked.length - 1), request, response);
    })();
  });
  server.on('connection', (socket) => {
    connections += 1;
    open.add(socket.on('error', () => {}));
    socket.once('close', () => open.delete(socket));
  });
  await once(server.listen(options.port ?? 0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    cluster: clusterAt(port, options),
    asked,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

export function clusterAt(
  port: number,
  { unreachableTimeoutMs = 10_000, requestTimeoutMs = 5000, token = () => 'not-a-secret' }: RestServerOptions = {},
): Cluster {
  const loadKubeConfig = (): KubeConfig => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: 'scripted', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
      { name: 'tester', token: token() },
    );
    return kubeConfig;
  };
  return connectCluster({ unreachableTimeoutMs, requestTimeoutMs, loadKubeConfig });
}

/** A refusal as an API server words it. */
export function refusal(status: number, reason: string, message: string, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code: status },
  };
}

async function readAsked(request: IncomingMessage): Promise<Asked> {
  const url = new URL(request.url ?? '', 'http://server');
  const body = Number(request.headers['content-length'] ?? 0) > 0 ? await json(request) : undefined;
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    body,
    token: (request.headers.authorization ?? '').replace('Bearer ', ''),
    contentType: request.headers['content-type'] ?? '',
  };
}

async function send(answer: Answer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (answer === 'silence') return;
  if (answer === 'hang-up') return void request.socket.destroy();
  if ('lines' in answer) {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    for await (const line of answer.lines) response.write(`${JSON.stringify(line)}\n`);
    return void response.end();
  }
  response
    .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    .end(JSON.stringify(answer.body ?? {}));
}
