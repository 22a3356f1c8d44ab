/**
 * Requests to the API server. They are repeated while it can't answer: it may restart, be busy, or be cut off for a
 * while.
 */
import { setTimeout as wait } from 'node:timers/promises';
import {
  ApiException,
  CoreV1Api,
  createConfiguration,
  KubeConfig,
  ServerConfiguration,
  type Middleware,
} from '@kubernetes/client-node';
import { z } from 'zod';
import { JigError } from '../base/errors.ts';
import { SandboxUnavailable } from '../sandbox/errors.ts';

export interface Cluster {
  /** The kubeconfig as it was last read. */
  readonly kubeConfig: KubeConfig;
  readonly core: CoreV1Api;
  unreachableTimeoutMs: number;
  /** Reads the kubeconfig again, since its token or certificate may have been renewed. */
  renew?(): void;
}

interface ConnectOptions {
  context?: string | undefined;
  unreachableTimeoutMs: number;
  loadKubeConfig?: () => KubeConfig;
  /** The limit for one try. A server that accepts a request and doesn't answer is asked again. */
  requestTimeoutMs?: number;
}

/** Connects to a cluster. @throws JigError `config-invalid` */
export function connectCluster({
  context,
  unreachableTimeoutMs,
  loadKubeConfig = () => readKubeConfig(context),
  requestTimeoutMs = 20_000,
}: ConnectOptions): Cluster {
  let kubeConfig = loadKubeConfig();
  let core = createCoreApi(kubeConfig, requestTimeoutMs);
  return {
    get kubeConfig() {
      return kubeConfig;
    },
    get core() {
      return core;
    },
    unreachableTimeoutMs,
    renew() {
      kubeConfig = loadKubeConfig();
      core = createCoreApi(kubeConfig, requestTimeoutMs);
    },
  };
}

/** The library's fallback if it finds no configuration. */
const nowhere = 'http://localhost:8080';

/**
 * Reads the kubeconfig by the usual rules: KUBECONFIG, ~/.kube/config, or the service account of the pod in which this
 * runs.
 */
function readKubeConfig(context: string | undefined): KubeConfig {
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromDefault();
  } catch (error) {
    throw new JigError('config-invalid', `The kubeconfig can't be read: ${messageOf(error)}`, { cause: error });
  }
  if (context !== undefined) kubeConfig.setCurrentContext(context);
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster?.server === nowhere)
    throw new JigError(
      'config-invalid',
      'There is no kubeconfig, and the worker does not run in a pod with a service account',
      {
        hint: 'Set KUBECONFIG to a file that kubectl can use.',
      },
    );
  if (!cluster) {
    const known = kubeConfig
      .getContexts()
      .map(({ name }) => name)
      .join(', ');
    throw new JigError(
      'config-invalid',
      `The kubeconfig has no context ${JSON.stringify(context ?? kubeConfig.getCurrentContext())}; it has ${known || 'none'}`,
    );
  }
  return kubeConfig;
}

function createCoreApi(kubeConfig: KubeConfig, requestTimeoutMs: number): CoreV1Api {
  const server = kubeConfig.getCurrentCluster()?.server ?? nowhere;
  return new CoreV1Api(
    createConfiguration({
      baseServer: new ServerConfiguration(server, {}),
      authMethods: { default: kubeConfig },
      promiseMiddleware: [boundedRequests(requestTimeoutMs)],
    }),
  );
}

/**
 * Shares connections and limits requests. By itself, the library opens a connection for each request, and waits five
 * minutes for an answer.
 */
function boundedRequests(timeoutMs: number): Middleware {
  let shared: ReturnType<Parameters<Middleware['pre']>[0]['getDispatcher']>;
  return {
    async pre(request) {
      shared ??= request.getDispatcher();
      if (shared) request.setDispatcher(shared);
      request.setSignal(AbortSignal.timeout(timeoutMs));
      return request;
    },
    post: async (response) => response,
  };
}

const backoffMs = { first: 200, most: 5000 };
/** How long a refusal may be temporary: a token was just rotated, or a server just started. */
const unauthorizedTimeoutMs = 15_000;

const ApiStatus = z.object({ message: z.string().default(''), reason: z.string().default('') });

/** The answer that refused a request. Its message is the cluster's own. */
export class ApiRefusal extends SandboxUnavailable {
  override name = 'ApiRefusal';
  readonly status: number;
  readonly reason: string;
  constructor(status: number, { message, reason }: z.infer<typeof ApiStatus>, options: { cause?: unknown } = {}) {
    super('sandbox-not-admitted', message, { retryable: status === 401, ...options });
    this.status = status;
    this.reason = reason;
  }
}

/**
 * Asks until there is an answer. The request must be repeatable, because it is sent again if its answer was lost.
 * @throws ApiRefusal if the answer is a refusal; SandboxUnavailable `sandbox-unreachable` when the time is up; the
 * abort's reason.
 */
export async function ask<Answer>(
  cluster: Pick<Cluster, 'unreachableTimeoutMs' | 'renew'>,
  request: () => Promise<Answer>,
  signal?: AbortSignal,
): Promise<Answer> {
  const startedAt = performance.now();
  for (let delayMs = backoffMs.first; ; delayMs = Math.min(delayMs * 2, backoffMs.most)) {
    try {
      return await unlessAborted(request, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const refusal = findRefusal(error);
      if (refusal && !isPassing(refusal.status)) throw refusal;
      const isUnauthorized = refusal?.status === 401;
      const patienceMs = isUnauthorized
        ? Math.min(unauthorizedTimeoutMs, cluster.unreachableTimeoutMs)
        : cluster.unreachableTimeoutMs;
      const pauseMs = Math.max(delayMs, retryAfterMs(error));
      if (isUnauthorized) cluster.renew?.();
      if (performance.now() - startedAt + pauseMs > patienceMs)
        throw isUnauthorized ? refusal : unreachable(refusal ?? error);
      await wait(pauseMs, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/** Sends a request. @throws the abort's reason immediately; a request under way is left to its own time limit */
async function unlessAborted<Answer>(request: () => Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
  signal?.throwIfAborted();
  if (!signal) return await request();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([request(), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function unreachable(cause: unknown): SandboxUnavailable {
  return new SandboxUnavailable(
    'sandbox-unreachable',
    `The Kubernetes API server doesn't answer: ${messageOf(cause)}`,
    { retryable: true, cause },
  );
}

const isPassing = (status: number): boolean => status === 401 || status === 408 || status === 429 || status >= 500;

/** The refusal in an error; undefined if no answer came at all. */
function findRefusal(error: unknown): ApiRefusal | undefined {
  if (!(error instanceof ApiException)) return undefined;
  const body: unknown = error.body;
  const parsed = ApiStatus.safeParse(typeof body === 'string' ? parseJson(body) : body);
  return new ApiRefusal(error.code, parsed.success ? parsed.data : { message: error.message, reason: '' }, {
    cause: error,
  });
}

function retryAfterMs(error: unknown): number {
  if (!(error instanceof ApiException)) return 0;
  const seconds = Number(error.headers['retry-after']);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0) * 1000, 60_000) : 0;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An error's message, with that of its cause. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
