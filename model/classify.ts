/** Classifies a server's answer as a typed failure, by a table of statuses. */
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { ModelFailure, type ModelFailureCode } from './contract.ts';

interface Meaning {
  code: ModelFailureCode;
  retryable: boolean;
}

const byStatus: Record<number, Meaning> = {
  400: { code: 'model-refused', retryable: false },
  401: { code: 'model-unauthorized', retryable: false },
  402: { code: 'model-unauthorized', retryable: false },
  403: { code: 'model-unauthorized', retryable: false },
  404: { code: 'model-refused', retryable: false },
  408: { code: 'model-timeout', retryable: true },
  409: { code: 'model-unavailable', retryable: true },
  413: { code: 'model-context-too-long', retryable: false },
  422: { code: 'model-refused', retryable: false },
  425: { code: 'model-unavailable', retryable: true },
  429: { code: 'model-rate-limited', retryable: true },
};

const byCode: Record<string, Meaning> = {
  context_length_exceeded: { code: 'model-context-too-long', retryable: false },
  exceed_context_size_error: { code: 'model-context-too-long', retryable: false },
  insufficient_quota: { code: 'model-unauthorized', retryable: false },
  invalid_api_key: { code: 'model-unauthorized', retryable: false },
  rate_limit_exceeded: { code: 'model-rate-limited', retryable: true },
  server_error: { code: 'model-unavailable', retryable: true },
};

/** Statuses of a request that the server understood and refused, or whose conversation its template could not write. */
const refusalStatuses = new Set([400, 404, 405, 415, 422, 500, 501]);

/** How servers without codes of their own say that a conversation is too long. */
const saysTooLong =
  /context.?(length|window|size)|maximum context|too many (input )?tokens|(prompt|input) is too long|exceeds? .{0,40}(token|context) (limit|count)|reduce the length/i;

/** The longest wait that a server may ask for. If it asks for more, the caller's own back-off applies. */
const maxRetryAfterMs = 10 * 60_000;

/**
 * Turns what the client threw into a ModelFailure, by status, code and headers. Only for a conversation that is too
 * long, which many servers give no code, the words count.
 */
export function classifyFailure(error: unknown): ModelFailure {
  if (error instanceof ModelFailure) return error;
  if (error instanceof APIConnectionTimeoutError)
    return failure({ code: 'model-timeout', retryable: true }, 'the model did not answer in time', error);
  if (error instanceof APIConnectionError) {
    return failure(
      { code: 'model-unavailable', retryable: true },
      `the model's server can't be reached: ${detail(error)}`,
      error,
    );
  }
  if (error instanceof SyntaxError)
    return failure(
      { code: 'model-nonsense', retryable: true },
      `the model's server sent something that is not JSON: ${detail(error)}`,
      error,
    );
  if (!(error instanceof APIError))
    return failure({ code: 'model-cut-off', retryable: true }, `the model's answer broke off: ${detail(error)}`, error);

  const meaning = meaningOf(error);
  const headers = error.headers instanceof Headers ? error.headers : new Headers();
  const said = headers.get('x-should-retry');
  const retryable = said === 'true' ? true : said === 'false' ? false : meaning.retryable;
  const retryAfterMs = retryable ? parseRetryAfter(headers) : undefined;
  const status = error.status === undefined ? 'an error in its answer' : `status ${error.status}`;
  return new ModelFailure(meaning.code, `the model's server answered ${status}: ${detail(error)}`, {
    retryable,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function meaningOf(error: APIError): Meaning {
  const named = byCode[error.code ?? ''] ?? byCode[error.type ?? ''];
  if (named) return named;
  const status = statusOf(error);
  if ((status === undefined || refusalStatuses.has(status)) && saysTooLong.test(error.message))
    return { code: 'model-context-too-long', retryable: false };
  if (status === undefined) return { code: 'model-unavailable', retryable: true };
  return (
    byStatus[status] ??
    (status >= 500 ? { code: 'model-unavailable', retryable: true } : { code: 'model-refused', retryable: false })
  );
}

/** The status; for an error inside a 200 response, its code may be one. */
function statusOf(error: APIError): number | undefined {
  const code = Number(error.code ?? Number.NaN);
  return error.status ?? (code >= 400 && code < 600 ? code : undefined);
}

/** What a server said against a request, for those who can change it; undefined for every other error. */
export function refusalText(error: unknown): string | undefined {
  if (!(error instanceof APIError) || error instanceof APIConnectionError) return undefined;
  const status = statusOf(error);
  if (status !== undefined && !refusalStatuses.has(status)) return undefined;
  return [error.message, error.param, error.code, error.type].filter(Boolean).join(' ');
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

function failure(meaning: Meaning, message: string, cause: unknown): ModelFailure {
  return new ModelFailure(meaning.code, message, { retryable: meaning.retryable, cause });
}

/** The server's own words, cut, because they may hold an HTML page. */
function detail(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // The client's library puts the status before the words.
  const text =
    error instanceof APIError && error.status ? message.replace(new RegExp(`^${error.status} `), '') : message;
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}
