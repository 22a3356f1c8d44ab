/** A server that speaks the exec protocol of Kubernetes and misbehaves as it is told: real HTTP, real WebSockets. */
import { KubeConfig } from '@kubernetes/client-node';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { PodContainer } from '../../k8s/exec.ts';

/** One connection, as the server has it. */
export interface ScriptedExec {
  socket: WebSocket;
  /** The connection under the protocol, for bytes that break it. */
  raw: Socket;
  /** The words of the command. */
  words: string[];
  /** What has come on standard input; `undefined` in it: the client said that it ended. */
  input: (Buffer | undefined)[];
  /** Sends one frame; resolves when it has left. */
  send: (channel: number, content: string | Uint8Array) => Promise<void>;
  /** Sends the status of a command that ended with this code, and closes. */
  end: (code: number) => Promise<void>;
  /** Breaks the connection, as a network does. */
  drop: () => void;
}

interface Refusal {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

export interface ApiServerScript {
  onExec?: (exec: ScriptedExec) => void | Promise<void>;
  /** Answers the request by an HTTP error instead. */
  refuse?: (request: IncomingMessage) => Refusal | undefined;
  protocol?: string;
  /** Whether pings are answered. */
  pong?: boolean;
}

export async function startApiServer(script: ApiServerScript) {
  // As Go's servers take it.
  const server = createServer({ maxHeaderSize: 1 << 20 });
  const execs = new WebSocketServer({
    noServer: true,
    autoPong: script.pong ?? true,
    handleProtocols: () => script.protocol ?? 'v5.channel.k8s.io',
  });
  const connections = new Set<Socket>();
  let requests = 0;
  server.on('connection', (connection) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection)).on('error', () => {});
  });
  server.on('upgrade', (request, raw: Socket, head) => {
    requests++;
    const refusal = script.refuse?.(request);
    if (refusal) raw.end(answerOf(refusal));
    else execs.handleUpgrade(request, raw, head, (socket) => void script.onExec?.(scriptedExec(socket, raw, request)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const connection of connections) connection.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { target: targetAt(port), port, requests: () => requests, [Symbol.asyncDispose]: close };
}

export function targetAt(port: number): PodContainer {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'scripted', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'tester', token: 'not-a-secret' },
  );
  return { kubeConfig, namespace: 'jig', pod: 'sandbox', container: 'main' };
}

function scriptedExec(socket: WebSocket, raw: Socket, request: IncomingMessage): ScriptedExec {
  const input: ScriptedExec['input'] = [];
  socket.on('error', () => {});
  socket.on('message', (data: Buffer) => {
    if (data[0] === 0) input.push(data.subarray(1));
    if (data[0] === 255) input.push(undefined);
  });
  const send: ScriptedExec['send'] = async (channel, content) => {
    await new Promise<void>((resolve) =>
      socket.send(Buffer.concat([Uint8Array.of(channel), Buffer.from(content)]), () => resolve()),
    );
  };
  const end: ScriptedExec['end'] = async (code) => {
    await send(3, JSON.stringify(statusOf(code)));
    socket.close();
  };
  // A process of Node that resets a connection which is shutting down never ends: it spins in its clean-up.
  const drop: ScriptedExec['drop'] = () => void (raw.writableEnded ? raw.destroy() : raw.resetAndDestroy());
  const words = new URL(request.url ?? '', 'http://server').searchParams.getAll('command');
  return { socket, raw, words, input, send, end, drop };
}

/** As a real server words it. */
export function statusOf(code: number): object {
  if (code === 0) return { metadata: {}, status: 'Success' };
  const details = { causes: [{ reason: 'ExitCode', message: String(code) }] };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details,
  };
}

function answerOf({ status, headers = {}, body = '' }: Refusal): string {
  const all = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...headers,
  };
  return `HTTP/1.1 ${status} Refused\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`;
}
