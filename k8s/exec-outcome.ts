/** The outcome of an exec in the API server's own words: the status at the end, or the refusal of the connection. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';

export type ExecOutcome =
  /** The command ended by itself. The code is 128 + signal if a signal ended it. */
  | { kind: 'exited'; code: number }
  /** The server reports that it could not run the command, or not follow it to its end. */
  | { kind: 'failed'; reason: string }
  /**
   * An HTTP error instead of a connection, so nothing was started. 404: no such pod; 403: forbidden; 429: too many
   * requests.
   */
  | { kind: 'refused'; status: number; reason: string; retryAfterMs?: number }
  /** No connection was made, so nothing was started. */
  | { kind: 'unreachable'; reason: string }
  /**
   * The connection ended before the command's status came. The command may be running, have ended, or never have
   * started.
   */
  | { kind: 'unknown'; reason: string };

const Status = z.object({
  status: z.enum(['Success', 'Failure']),
  message: z.string().default(''),
  reason: z.string().default(''),
  details: z
    .object({
      causes: z.array(z.object({ reason: z.string().default(''), message: z.string().default('') })).default([]),
    })
    .default({ causes: [] }),
});
const ExitCode = z.coerce.number().int().min(0).max(255);
const maxReasonLength = 500;
const maxRefusalBytes = 65_536;

/** Parses the status frame of an exec. Anything else is an unknown outcome. Never throws. */
export function parseStatus(frame: string): ExecOutcome {
  const parsed = Status.safeParse(parseJson(frame));
  if (!parsed.success) return { kind: 'unknown', reason: 'the status of the command could not be read' };
  const { status, message, reason, details } = parsed.data;
  if (status === 'Success') return { kind: 'exited', code: 0 };
  const cause = details.causes.find((each) => each.reason === 'ExitCode');
  const code = ExitCode.safeParse(cause?.message === '' ? undefined : cause?.message);
  // A failure with the code 0 contradicts itself.
  return code.success && code.data > 0
    ? { kind: 'exited', code: code.data }
    : { kind: 'failed', reason: short(message || reason || 'the server gave no reason') };
}

/** Reads the answer that refused the connection. @throws if the answer breaks off */
export async function parseRefusal(response: IncomingMessage): Promise<ExecOutcome> {
  const status = response.statusCode ?? 0;
  const body = await readStart(response);
  const said = z.object({ message: z.string() }).safeParse(parseJson(body));
  const reason = short(said.success ? said.data.message : body || (response.statusMessage ?? ''));
  const seconds = z.coerce.number().nonnegative().safeParse(response.headers['retry-after']);
  return { kind: 'refused', status, reason, ...(seconds.success ? { retryAfterMs: seconds.data * 1000 } : {}) };
}

async function readStart(response: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response) {
    parts.push(part);
    length += part.length;
    if (length >= maxRefusalBytes) break;
  }
  return Buffer.concat(parts).toString();
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function short(words: string): string {
  return words.trim().slice(0, maxReasonLength);
}
