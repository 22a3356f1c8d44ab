/**
 * `fetch` for a code host's API, with credentials, a deadline and a limit on the answer's size. Every fault is a
 * ForgeFailure.
 */
import { ForgeFailure, type ForgeFailureCode } from './errors.ts';

export interface HostFetchOptions {
  /** The host's name in messages. */
  host: string;
  /** The value of the authorization header. Called for each request. */
  authorization: () => Promise<string>;
  timeoutMs?: number;
}

const maxAnswerBytes = 16_000_000;
const maxRetryAfterMs = 15 * 60_000;
const bodiless = new Set([204, 205, 304]);

/** Makes the `fetch`. It follows no redirect: a new address is reported, and credentials go nowhere else. */
export function createHostFetch({ host, authorization, timeoutMs = 30_000 }: HostFetchOptions): typeof fetch {
  return async (input, init) => {
    const secret = await authorization();
    const headers = new Headers(init?.headers);
    headers.set('authorization', secret);
    const { response, text } = await send(host, input, {
      ...init,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw failureOf(host, response, redact(text, secret));
    return new Response(bodiless.has(response.status) ? null : text, {
      status: response.status,
      headers: response.headers,
    });
  };
}

async function send(
  host: string,
  input: Parameters<typeof fetch>[0],
  init: RequestInit,
): Promise<{ response: Response; text: string }> {
  try {
    const response = await fetch(input, init);
    return { response, text: await readText(response) };
  } catch (error) {
    if (error instanceof ForgeFailure) throw error;
    // Node gives the reason in the cause. Its text may repeat the request.
    const cause =
      error instanceof Error && error.cause instanceof Error && 'code' in error.cause
        ? String(error.cause.code)
        : error instanceof Error
          ? error.name
          : 'unknown';
    throw new ForgeFailure('forge-unavailable', `${host} could not be reached, or its answer broke off: ${cause}`);
  }
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.byteLength;
    if (bytes > maxAnswerBytes)
      throw new ForgeFailure('forge-refused', `An answer is larger than ${maxAnswerBytes} bytes.`);
  }
  return Buffer.concat(parts).toString();
}

/** The meaning of each status. Other statuses are `forge-refused` below 500 and `forge-unavailable` from 500 on. */
const codes: Record<number, ForgeFailureCode> = {
  301: 'forge-moved',
  302: 'forge-moved',
  307: 'forge-moved',
  308: 'forge-moved',
  401: 'forge-unauthorized',
  403: 'forge-unauthorized',
  404: 'forge-not-found',
  408: 'forge-unavailable',
  409: 'forge-conflict',
  410: 'forge-not-found',
  412: 'forge-conflict',
  425: 'forge-unavailable',
  429: 'forge-unavailable',
};

/** The failure for an answer that is not a success. `text` is its body, without secrets. */
export function failureOf(
  host: string,
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  text: string,
): ForgeFailure {
  const retryAfterMs = readRetryAfter(headers);
  // A rate limit looks like a missing right, except for its headers.
  const isLimited = status === 403 && (retryAfterMs !== undefined || headers.get('x-ratelimit-remaining') === '0');
  const code = isLimited || status >= 500 ? 'forge-unavailable' : (codes[status] ?? 'forge-refused');
  const to = code === 'forge-moved' ? ` at ${headers.get('location') ?? 'another address'}` : '';
  return new ForgeFailure(
    code,
    `${host} answered ${status}${to}${said(text)}`,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}

/** Reads how long to wait: seconds, a date, or the time at which a rate limit ends. */
function readRetryAfter(headers: Headers): number | undefined {
  const after = headers.get('retry-after');
  const resetsAt = headers.get('x-ratelimit-remaining') === '0' ? headers.get('x-ratelimit-reset') : null;
  const waitMs =
    after === null
      ? Number(resetsAt ?? Number.NaN) * 1000 - Date.now()
      : /^\d+$/.test(after)
        ? Number(after) * 1000
        : Date.parse(after) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), maxRetryAfterMs);
}

function said(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return line === '' ? '' : `: ${line.slice(0, 300)}`;
}

function redact(text: string, secret: string): string {
  return secret
    .split(' ')
    .filter((word) => word.length >= 8)
    .reduce((safe, word) => safe.replaceAll(word, '[redacted]'), text);
}
