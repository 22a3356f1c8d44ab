/** `fetch` for a code host's API: with its credentials, a deadline and a bound on what is read; every fault is a ForgeFailure. */
import { ForgeFailure, type ForgeFailureCode } from './errors.ts';

export interface HostFetchOptions {
  /** What messages call the host. */
  host: string;
  /** The value of the authorization header, asked for with each request. */
  authorization: () => Promise<string>;
  timeoutMs?: number;
}

const maxAnswerBytes = 16_000_000;
const maxRetryAfterMs = 15 * 60_000;
const bodiless = new Set([204, 205, 304]);

/** Follows no redirect: a new address is a fact to tell, and credentials go nowhere else. */
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
    // Node says why in the cause, and its text may repeat the request.
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

/** What a status means; what isn't here is `forge-refused` below 500 and `forge-unavailable` from there. */
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

/** What an answer that is no success means for the caller. `text` is its body, without secrets. */
export function failureOf(
  host: string,
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  text: string,
): ForgeFailure {
  const retryAfterMs = readRetryAfter(headers);
  // A limit on requests looks like a missing right, but for what it says of the time.
  const isLimited = status === 403 && (retryAfterMs !== undefined || headers.get('x-ratelimit-remaining') === '0');
  const code = isLimited || status >= 500 ? 'forge-unavailable' : (codes[status] ?? 'forge-refused');
  const to = code === 'forge-moved' ? ` at ${headers.get('location') ?? 'another address'}` : '';
  return new ForgeFailure(
    code,
    `${host} answered ${status}${to}${said(text)}`,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}

/** Seconds, a date, or the time at which a limit ends. */
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
