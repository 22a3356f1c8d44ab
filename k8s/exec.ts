/**
 * Runs one command in a container through the exec interface of Kubernetes. It settles exactly once, whatever the
 * connection does.
 *
 * Closing the connection doesn't end the command. If the command should outlive the connection, or be found again, the
 * caller must arrange that.
 */
import type { KubeConfig } from '@kubernetes/client-node';
import type { IncomingMessage } from 'node:http';
import { WebSocket, type ClientOptions, type RawData } from 'ws';
import { parseRefusal, parseStatus, type ExecOutcome } from './exec-outcome.ts';

/** A container, and how to reach its API server. */
export interface PodContainer {
  kubeConfig: KubeConfig;
  namespace: string;
  pod: string;
  container: string;
}

/** Takes output as it comes. While its promise is pending, the connection is paused. */
type TakeBytes = (bytes: Uint8Array) => void | Promise<void>;

export interface ExecOptions {
  /**
   * Becomes standard input. Servers before protocol v5 can't be told where it ends, so the command must know its
   * length.
   */
  stdin?: AsyncIterable<Uint8Array>;
  onStdout?: TakeBytes;
  /** If missing, the command has no standard error. */
  onStderr?: TakeBytes;
  /** The longest time from the call to the outcome. */
  deadlineMs: number;
  signal?: AbortSignal;
  /** The most bytes of both streams together. If there are more, the outcome is unknown. */
  maxBytes: number;
  /** The interval of pings. A connection that doesn't answer three of them is given up. */
  pingEveryMs?: number;
}

const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const channels = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 };
const pingEveryMs = 5000;
const maxUnansweredPings = 3;
const handshakeTimeoutMs = 30_000;
/** Servers send frames of 32 KiB. */
const maxFrameBytes = 1 << 20;
const sentFrameBytes = 1 << 16;
/** How many bytes may wait for their taker before the connection is paused. */
const maxWaitingBytes = 1 << 18;
/** The longest delay of a timer. */
const maxDelayMs = 2 ** 31 - 1;

/**
 * Runs a command and waits for its end, the deadline or the abort, whichever comes first. Not repeatable: each call
 * starts the command. @throws only what `onStdout`, `onStderr` or `stdin` throw
 */
export async function execInPod(target: PodContainer, argv: string[], options: ExecOptions): Promise<ExecOutcome> {
  if (options.signal?.aborted) return { kind: 'unknown', reason: 'it was aborted before it began' };
  let socket: WebSocket;
  try {
    socket = await connect(target, argv, options);
  } catch (error) {
    return { kind: 'unreachable', reason: messageOf(error) };
  }
  const { promise, resolve, reject } = Promise.withResolvers<ExecOutcome>();
  const unknown = (reason: string): void => resolve({ kind: 'unknown', reason });
  using _deadline = onceAfter(options.deadlineMs, () => unknown('its deadline passed'));
  const onAbort = (): void => unknown('it was aborted');
  options.signal?.addEventListener('abort', onAbort);
  const order = inOrder(socket, reject);
  followSocket(socket, options, order, resolve);
  using _pings = watchLife(socket, options.pingEveryMs ?? pingEveryMs, () =>
    unknown('the connection shows no sign of life'),
  );
  socket.once('open', () => {
    if (options.stdin) sendInput(socket, options.stdin).catch(reject);
  });
  try {
    return await promise;
  } finally {
    order.stop();
    options.signal?.removeEventListener('abort', onAbort);
    socket.terminate();
  }
}

async function connect(
  { kubeConfig, namespace, pod, container }: PodContainer,
  argv: string[],
  { stdin, onStderr, deadlineMs }: ExecOptions,
): Promise<WebSocket> {
  const server = kubeConfig.getCurrentCluster()?.server;
  if (server === undefined) throw new Error('the kubeconfig names no cluster');
  // Each stream costs the node a millisecond or more to set up.
  const query = new URLSearchParams({
    container,
    stdin: String(stdin !== undefined),
    stdout: 'true',
    stderr: String(onStderr !== undefined),
  });
  for (const word of argv) query.append('command', word);
  const options: ClientOptions = {};
  await kubeConfig.applyToHTTPSOptions(options);
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec`;
  const url = `${server.replace(/^http/, 'ws').replace(/\/+$/, '')}${path}?${query.toString()}`;
  const handshakeTimeout = Math.min(deadlineMs, handshakeTimeoutMs);
  return new WebSocket(url, protocols, {
    ...options,
    handshakeTimeout,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    followRedirects: false,
  });
}

/** Resolves with what the socket reports, in the order of the reports: output before the end is passed on first. */
function followSocket(
  socket: WebSocket,
  options: ExecOptions,
  order: ReturnType<typeof inOrder>,
  resolve: (outcome: ExecOutcome) => void,
): void {
  let opened = false;
  let bytes = 0;
  const unknown = (reason: string): void => resolve({ kind: 'unknown', reason });
  const takers = new Map([
    [channels.stdout, options.onStdout],
    [channels.stderr, options.onStderr],
  ]);
  const take = (frame: Buffer): void | Promise<void> => {
    const channel = frame[0] ?? -1;
    // Servers begin with empty frames, and send 255 when a stream ended.
    if (frame.length === 1 || channel === channels.close) return;
    const content = frame.subarray(1);
    if (channel === channels.status) return resolve(parseStatus(content.toString()));
    if (!takers.has(channel)) return unknown(`a frame came for the unknown channel ${channel}`);
    bytes += content.length;
    if (bytes > options.maxBytes) return unknown(`more than ${options.maxBytes} bytes came`);
    return takers.get(channel)?.(content);
  };
  socket.on('open', () => (opened = true));
  socket.on('unexpected-response', (request, response: IncomingMessage) => {
    parseRefusal(response)
      .then(resolve, (error: unknown) => unknown(messageOf(error)))
      .finally(() => request.destroy());
  });
  socket.on('message', (data: RawData, isBinary: boolean) => {
    const frame = bufferOf(data);
    order.add(frame.length, () => (isBinary ? take(frame) : unknown('a frame of text came')));
  });
  socket.on('error', (error) =>
    order.add(0, () => resolve({ kind: opened ? 'unknown' : 'unreachable', reason: messageOf(error) })),
  );
  socket.on('close', (code) =>
    order.add(0, () => unknown(`the connection closed with ${code} before the command's status came`)),
  );
}

/** Does one thing after the other, and pauses the socket while too much waits. */
function inOrder(socket: WebSocket, reject: (error: unknown) => void) {
  let last: Promise<void> = Promise.resolve();
  let waitingBytes = 0;
  let stopped = false;
  const after = async (before: Promise<void>, bytes: number, work: () => void | Promise<void>): Promise<void> => {
    await before;
    try {
      if (!stopped) await work();
    } catch (error) {
      reject(error);
    }
    waitingBytes -= bytes;
    if (socket.isPaused && waitingBytes <= maxWaitingBytes) socket.resume();
  };
  const add = (bytes: number, work: () => void | Promise<void>): void => {
    waitingBytes += bytes;
    if (waitingBytes > maxWaitingBytes) socket.pause();
    last = after(last, bytes, work);
  };
  return { add, stop: () => (stopped = true) };
}

/** Calls `onDead` if the other side is gone without a close. */
function watchLife(socket: WebSocket, everyMs: number, onDead: () => void): Disposable {
  let unanswered = 0;
  const onSign = (): void => {
    unanswered = 0;
  };
  for (const sign of ['open', 'pong', 'ping', 'message']) socket.on(sign, onSign);
  const timer = setInterval(() => {
    // A paused socket receives no answers.
    if (socket.readyState !== WebSocket.OPEN || socket.isPaused) return;
    if (unanswered++ >= maxUnansweredPings) onDead();
    else socket.ping();
  }, everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function sendInput(socket: WebSocket, input: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of input) {
    for (let at = 0; at < bytes.length; at += sentFrameBytes) {
      if (!(await sendFrame(socket, channels.stdin, bytes.subarray(at, at + sentFrameBytes)))) return;
    }
  }
  if (socket.protocol === protocols[0]) await sendFrame(socket, channels.close, Uint8Array.of(channels.stdin));
}

/** Sends a frame. @returns whether it was sent; if not, the socket itself reports the reason */
async function sendFrame(socket: WebSocket, channel: number, content: Uint8Array): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.send(Buffer.concat([Uint8Array.of(channel), content]), (error) => resolve(!error));
  return await promise;
}

function onceAfter(ms: number, callback: () => void): Disposable {
  const timer = setTimeout(callback, Math.min(ms, maxDelayMs));
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function bufferOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
