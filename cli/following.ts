/** Shows a run until it ends: a line for each step that ends and, on a terminal, one live line for what goes on. */
import { stripVTControlCharacters } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import type { JigClient } from '../client/client.ts';
import type { RunState } from '../workflows/messages.ts';
import { printEnding } from './ending.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { note, paintErr, paintOut, print } from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import { shortId } from './run-reference.ts';
import { onStop } from './signals.ts';

/** Follows the run and returns the exit code. Ctrl-C stops following; the run goes on. */
export async function followRun(
  client: JigClient,
  runId: string,
  { json = false }: { json?: boolean },
): Promise<number> {
  const stop = onStop();
  try {
    const state = json
      ? await followJson(client, runId, stop.signal)
      : await followOnTerminal(client, runId, stop.signal);
    if (state?.end) return exitCodeOf(state.end.outcome);
    const id = shortId(runId);
    note(`The run goes on. Look again: jig follow ${id}. End it: jig cancel ${id}`);
    return exitCodes.detached;
  } finally {
    stop.close();
  }
}

/** Prints progress to standard output until the run ends or the signal aborts. Returns the last state. */
export async function followOnTerminal(
  client: Pick<JigClient, 'follow' | 'uiUrl'>,
  runId: string,
  signal: AbortSignal,
): Promise<RunState | undefined> {
  const progress = createProgress({ paint: paintOut, ...(process.stdout.isTTY && { width: process.stdout.columns }) });
  const screen = createScreen(progress);
  let last: RunState | undefined;
  try {
    for await (const state of client.follow(runId, { signal })) {
      last = state;
      screen.print(progress.update(state));
    }
  } finally {
    await screen.close();
  }
  if (last?.end) await printEnding(last, client.uiUrl(runId));
  return last;
}

interface Screen {
  print(lines: string[]): void;
  close(): Promise<void>;
}

/** Prints lines, and below them the live line if the output is a terminal. */
function createScreen(progress: Progress): Screen {
  const isTerminal = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
  const clear = () => void (isTerminal && process.stdout.write('\r\u001B[K'));
  const draw = () => {
    if (!isTerminal) return;
    const line = progress.live(Date.now());
    // A wrapped line can't be cleared.
    const fits = stripVTControlCharacters(line).length < process.stdout.columns;
    process.stdout.write(
      `\r\u001B[K${fits ? line : stripVTControlCharacters(line).slice(0, process.stdout.columns - 1)}`,
    );
  };
  const closing = new AbortController();
  const ticking = (async () => {
    for (; !closing.signal.aborted; await wait(250, undefined, { signal: closing.signal }).catch(() => undefined))
      draw();
  })();
  return {
    print(lines) {
      if (lines.length > 0) clear();
      for (const line of lines) print(line);
      draw();
    },
    async close() {
      closing.abort();
      await ticking;
      clear();
    },
  };
}

/**
 * Prints one JSON document on each line: the beginning, each step that ended, each failure that is tried again, each
 * question to a person, and the end
 * with the whole state.
 */
async function followJson(client: JigClient, runId: string, signal: AbortSignal): Promise<RunState | undefined> {
  const said = new Set<string>();
  const emit = (key: string, value: Record<string, unknown>): void => {
    if (!said.has(key)) print(JSON.stringify(value));
    said.add(key);
  };
  let last: RunState | undefined;
  for await (const state of client.follow(runId, { signal })) {
    last = state;
    emit('started', { event: 'started', runId, uiUrl: client.uiUrl(runId) });
    for (const row of state.steps) if (row.state !== 'running') emit(`step ${row.number}`, { event: 'step', ...row });
    for (const retry of state.retries ?? [])
      emit(`retry ${retry.activity} ${retry.tries} ${retry.message}`, { event: 'retry', ...retry });
    for (const question of state.questions)
      emit(`question ${question.id} ${question.deadlineMs}`, { event: 'question', ...question });
    if (state.end) emit('ended', { event: 'ended', ...state });
  }
  return last;
}

/** Prints that a run was started or already exists under its key, or follows it. Returns the exit code. */
export async function afterStart(
  client: JigClient,
  { runId, existed }: { runId: string; existed: boolean },
  { follow, json }: { follow?: true; json?: true },
): Promise<number> {
  const uiUrl = client.uiUrl(runId);
  if (follow) {
    if (!json && uiUrl) note(paintErr('dim', uiUrl));
    return followRun(client, runId, { json: json ?? false });
  }
  if (json) print(JSON.stringify({ runId, existed, ...(uiUrl && { uiUrl }) }, null, 2));
  else
    print(
      `${existed ? 'Started before, under this key:' : 'Started'} ${runId}\n  jig follow ${shortId(runId)}${uiUrl ? `\n  ${uiUrl}` : ''}`,
    );
  const waits = await client.waitsFor(runId);
  if (waits) note(`${waits.message}\n  ${waits.hint ?? ''}`);
  return exitCodes.done;
}
