/** The API server, asked again while it can't answer: it may restart, be busy, or be cut off for a while. */
import { setTimeout as wait } from 'node:timers/promises';
import { ApiException, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';
import { JigError } from '../blueprints/errors.ts';
import { SandboxUnavailable } from '../sandbox/errors.ts';

export interface Cluster {
  kubeConfig: KubeConfig;
  core: CoreV1Api;
  unreachableTimeoutMs: number;
}

/** By the usual rules: KUBECONFIG, ~/.kube/config, or the service account of the pod that this runs in. @throws JigError `config-invalid` */
export function connectCluster({ context, unreachableTimeoutMs }: { context?: string | undefined; unreachableTimeoutMs: number }): Cluster {
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromDefault();
  } catch (error) {
    throw new JigError('config-invalid', `The kubeconfig can't be read: ${messageOf(error)}`, { cause: error });
  }
  if (context !== undefined) {
    if (!kubeConfig.getContexts().some(({ name }) => name === context)) throw new JigError('config-invalid', `The kubeconfig has no context ${JSON.stringify(context)}; it has ${kubeConfig.getContexts().map(({ name }) => name).join(', ') || 'none'}`);
    kubeConfig.setCurrentContext(context);
  }
  return { kubeConfig, core: kubeConfig.makeApiClient(CoreV1Api), unreachableTimeoutMs };
}

const backoffMs = { first: 200, most: 5000 };
/** A token that was just rotated, or a server that just started, may refuse for a moment. */
const unauthorizedTimeoutMs = 15_000;

const ApiStatus = z.object({ message: z.string().default(''), reason: z.string().default('') });

/** The answer that refused a request; its message is the cluster's own. */
export class ApiRefusal extends Error {
  override name = 'ApiRefusal';
  readonly status: number;
  readonly reason: string;
  constructor(status: number, { message, reason }: z.infer<typeof ApiStatus>, options: { cause?: unknown } = {}) {
    super(message, options);
    this.status = status;
    this.reason = reason;
  }
}

/**
 * Asks until there is an answer. What is asked must be repeatable: an answer that was lost on its way is asked for again.
 * @throws ApiRefusal for an answer that says no; SandboxUnavailable `sandbox-unreachable` when the patience ends; the abort's reason.
 */
export async function ask<Answer>({ unreachableTimeoutMs }: Pick<Cluster, 'unreachableTimeoutMs'>, request: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
  const startedAt = performance.now();
  for (let delayMs = backoffMs.first; ; delayMs = Math.min(delayMs * 2, backoffMs.most)) {
    try {
      signal?.throwIfAborted();
      return await request();
    } catch (error) {
      signal?.throwIfAborted();
      const refusal = findRefusal(error);
      const patienceMs = refusal?.status === 401 ? Math.min(unauthorizedTimeoutMs, unreachableTimeoutMs) : unreachableTimeoutMs;
      if (refusal && !isPassing(refusal.status)) throw refusal;
      if (performance.now() - startedAt + delayMs > patienceMs) throw refusal?.status === 401 ? refusal : new SandboxUnavailable('sandbox-unreachable', `The API server of Kubernetes doesn't answer: ${messageOf(refusal ?? error)}`, { retryable: true, cause: error });
      await wait(Math.max(delayMs, retryAfterMs(error)), undefined, { ...(signal && { signal }) });
    }
  }
}

const isPassing = (status: number): boolean => status === 401 || status === 408 || status === 429 || status >= 500;

/** @returns undefined where no answer came at all. */
function findRefusal(error: unknown): ApiRefusal | undefined {
  if (!(error instanceof ApiException)) return undefined;
  const body: unknown = error.body;
  const parsed = ApiStatus.safeParse(typeof body === 'string' ? parseJson(body) : body);
  return new ApiRefusal(error.code, parsed.success ? parsed.data : { message: error.message, reason: '' }, { cause: error });
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

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
