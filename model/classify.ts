/** From what a model's server answered to a typed failure: a table, status by status. */
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { ModelFailure, type ModelFailureKind } from './contract.ts';

interface Verdict {
  kind: ModelFailureKind;
  retryable: boolean;
}

const byStatus: Record<number, Verdict> = {
  400: { kind: 'refused', retryable: false },
  401: { kind: 'unauthorized', retryable: false },
  402: { kind: 'unauthorized', retryable: false },
  403: { kind: 'unauthorized', retryable: false },
  404: { kind: 'refused', retryable: false },
  408: { kind: 'timeout', retryable: true },
  409: { kind: 'unavailable', retryable: true },
  413: { kind: 'context-too-long', retryable: false },
  422: { kind: 'refused', retryable: false },
  425: { kind: 'unavailable', retryable: true },
  429: { kind: 'rate-limited', retryable: true },
};

const byCode: Record<string, Verdict> = {
  context_length_exceeded: { kind: 'context-too-long', retryable: false },
  exceed_context_size_error: { kind: 'context-too-long', retryable: false },
  insufficient_quota: { kind: 'unauthorized', retryable: false },
  invalid_api_key: { kind: 'unauthorized', retryable: false },
  rate_limit_exceeded: { kind: 'rate-limited', retryable: true },
  server_error: { kind: 'unavailable', retryable: true },
};

/** Longest wait that a server may ask for; a longer one is the caller's own back-off. */
const maxRetryAfterMs = 10 * 60_000;

/** Turns what the client threw into a ModelFailure; `status`, code and headers decide, and never the message's words. */
export function classifyFailure(error: unknown): ModelFailure {
  if (error instanceof ModelFailure) return error;
  if (error instanceof APIConnectionTimeoutError)
    return failure({ kind: 'timeout', retryable: true }, 'the model did not answer in time', error);
  if (error instanceof APIConnectionError) {
    return failure(
      { kind: 'unavailable', retryable: true },
      `the model's server can't be reached: ${detail(error)}`,
      error,
    );
  }
  if (error instanceof SyntaxError)
    return failure(
      { kind: 'nonsense', retryable: true },
      `the model's server sent something that is not JSON: ${detail(error)}`,
      error,
    );
  if (!(error instanceof APIError))
    return failure({ kind: 'cut-off', retryable: true }, `the model's answer broke off: ${detail(error)}`, error);

  const verdict = verdictOf(error);
  const headers = error.headers instanceof Headers ? error.headers : new Headers();
  const said = headers.get('x-should-retry');
  const retryable = said === 'true' ? true : said === 'false' ? false : verdict.retryable;
  const retryAfterMs = retryable ? parseRetryAfter(headers) : undefined;
  const status = error.status === undefined ? 'an error in its answer' : `status ${error.status}`;
  return new ModelFailure(verdict.kind, `the model's server answered ${status}: ${detail(error)}`, {
    retryable,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function verdictOf(error: APIError): Verdict {
  const named = byCode[error.code ?? ''] ?? byCode[error.type ?? ''];
  if (named) return named;
  // An error inside a 200 has its status as its code, if anywhere.
  const code = Number(error.code ?? Number.NaN);
  const status: number | undefined = error.status ?? (code >= 400 && code < 600 ? code : undefined);
  if (status === undefined) return { kind: 'unavailable', retryable: true };
  return (
    byStatus[status] ??
    (status >= 500 ? { kind: 'unavailable', retryable: true } : { kind: 'refused', retryable: false })
  );
}

/** How long the server asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date. */
function parseRetryAfter(headers: Headers, nowMs = Date.now()): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (ms >= 0) return Math.min(ms, maxRetryAfterMs);
  const after = headers.get('retry-after');
  if (after === null) return undefined;
  const waitMs = Number.isNaN(Number(after)) ? Date.parse(after) - nowMs : Number(after) * 1000;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), maxRetryAfterMs);
}

function failure(verdict: Verdict, message: string, cause: unknown): ModelFailure {
  return new ModelFailure(verdict.kind, message, { retryable: verdict.retryable, cause });
}

/** The server's own words, cut: they may hold a page of HTML. */
function detail(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
