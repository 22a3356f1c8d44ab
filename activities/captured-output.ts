/** Passes a command's output on: all of it to the store, and a few kilobytes and a parsed value to Temporal. */
import { open } from 'node:fs/promises';
import type { ArtifactStore } from '../artifacts/contract.ts';
import { describeEnding } from '../base/command-endings.ts';
import { defaults } from '../base/defaults.ts';
import { nameOutputs } from '../base/output-names.ts';
import { JigError, type ErrorCode } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { observe } from '../evidence/observe.ts';
import type { Report } from '../evidence/read-reports.ts';
import type { CapturedStream, CommandResult } from '../sandbox/contract.ts';
import type { CapturedText, CommandReport, RunCommand } from './contract.ts';
import { AnyJson, keepOnFailure } from './kept.ts';

const textBytes = defaults.output.maxKeptBytes / 2;
/** A parsed value may be larger than text, since it can be the list that `each` walks over. */
const maxValueBytes = 256 * 1024;
/** A longer stream is not searched for tests and reasons. */
const observedBytes = 16 * 1024 * 1024;

/** What was seen of a command besides its output: hosts that it was refused, and its runner's reports. */
interface Seen {
  refused?: readonly string[];
  reports?: readonly Report[] | undefined;
}

/**
 * Stores a command's output and makes its report. @throws JigError `output-not-json`, `value-too-large` if `parse`
 * fails
 */
export async function captureCommand(
  store: ArtifactStore,
  result: CommandResult,
  request: Pick<RunCommand, 'parse' | 'shown' | 'check'>,
  { refused = [], reports }: Seen = {},
): Promise<CommandReport> {
  const { ending, exitCode, durationMs } = result;
  const [stdout, stderr] = await Promise.all([captureText(store, result.stdout), captureText(store, result.stderr)]);
  const streams = await Promise.all([readObserved(result.stdout), readObserved(result.stderr)]);
  const { lines, ...observed } = observe({ ending, exitCode, streams, refused, reports });
  const says = request.check?.says;
  const value =
    request.parse && exitCode === 0 && ending === 'exited'
      ? await keepOnFailure(
          () => nameOutputs({ stdout, stderr }),
          () => parseOutput(result.stdout, request),
        )
      : undefined;
  return {
    ending,
    exitCode,
    durationMs,
    startedAtMs: Date.parse(result.startedAt),
    stdout,
    stderr,
    ...(value !== undefined && { value }),
    ...(refused.length > 0 && { refused: [...refused] }),
    ...(says !== undefined && { saysSo: streams.some((text) => text?.includes(says)) }),
    check: {
      command: request.shown,
      exitCode,
      ending,
      durationMs,
      ...observed,
      ...(request.check && lines && { lines }),
    },
  };
}

/**
 * Reads as much of a stream as an agent's tool can use before it cuts by its own rule. A character has up to four
 * bytes.
 */
export async function readToolOutput(stream: CapturedStream, maxCharacters: number): Promise<string> {
  const half = maxCharacters * 2;
  if (stream.keptBytes <= 2 * half) return readHead(stream, 2 * half);
  return `${await readHead(stream, half)}\n[… cut …]\n${await readTail(stream, half)}`;
}

async function captureText(store: ArtifactStore, stream: CapturedStream): Promise<CapturedText> {
  const sizeBytes = stream.keptBytes + stream.droppedBytes;
  const cut = sizeBytes > textBytes;
  const text = cut
    ? `${await readHead(stream, textBytes / 2)}\n[… cut …]\n${await readTail(stream, textBytes / 2)}`
    : await readHead(stream, textBytes);
  const artifact = stream.keptBytes > 0 ? await store.put({ path: stream.path }, 'text/plain') : undefined;
  return { text: cut ? text : text.replace(/\r?\n$/, ''), cut, sizeBytes, ...(artifact && { artifact }) };
}

async function parseOutput(
  stream: CapturedStream,
  { parse, shown }: Pick<RunCommand, 'parse' | 'shown'>,
): Promise<Json> {
  if (stream.droppedBytes > 0 || stream.keptBytes > maxValueBytes) {
    throw new JigError(
      'value-too-large',
      `${shown} wrote ${stream.keptBytes + stream.droppedBytes} bytes, but at most ${maxValueBytes} bytes can be parsed`,
    );
  }
  const text = await readHead(stream, maxValueBytes);
  if (parse === 'lines') return text.split(/\r?\n/).filter((line) => line !== '');
  try {
    return AnyJson.parse(JSON.parse(text));
  } catch (error) {
    throw new JigError(
      'output-not-json',
      `${shown} printed something that is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Returns only if the command succeeded. @throws JigError with this code and the command's last output */
export async function mustSucceed(
  store: ArtifactStore,
  result: CommandResult,
  what: string,
  code: ErrorCode,
): Promise<void> {
  if (result.ending === 'exited' && result.exitCode === 0) return;
  const report = await captureCommand(store, result, { shown: what });
  const said = report.stderr.text.trim().slice(-500);
  const error = new JigError(code, `${what} failed: the command ${describeEnding(result)}${said && `: ${said}`}`);
  error.kept = nameOutputs(report);
  throw error;
}

/** The whole stream, or undefined if it was cut or is too long. */
async function readObserved(stream: CapturedStream): Promise<string | undefined> {
  return stream.droppedBytes > 0 || stream.keptBytes > observedBytes ? undefined : readHead(stream, observedBytes);
}

const readHead = (stream: CapturedStream, bytes: number): Promise<string> => readPart(stream, 0, bytes);
const readTail = (stream: CapturedStream, bytes: number): Promise<string> =>
  readPart(stream, Math.max(stream.keptBytes - bytes, 0), bytes);

async function readPart(stream: CapturedStream, position: number, bytes: number): Promise<string> {
  if (stream.keptBytes === 0) return '';
  const file = await open(stream.path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.min(bytes, stream.keptBytes)),
      0,
      Math.min(bytes, stream.keptBytes),
      position,
    );
    return new TextDecoder().decode(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
