/** Shows a run's states as lines: each ended step once, and one live line for what goes on. */
import { formatDuration } from '../base/durations.ts';
import type { Question, Retry, RunState, StepRow } from '../workflows/messages.ts';
import { oneLine, type Paint } from './output.ts';
import { shortId } from './run-reference.ts';

export interface Progress {
  /** The new lines that this state adds. */
  update(state: RunState): string[];
  /** What runs now, as one line; empty if nothing runs. */
  live(nowMs: number): string;
}

const nameWidth = 16;
const marks = { succeeded: '✓', failed: '✗', skipped: '–', running: '▸' } as const;
const colors = { succeeded: 'green', failed: 'red', skipped: 'dim', running: 'cyan' } as const;

export function createProgress({ paint, width = 160 }: { paint: Paint; width?: number }): Progress {
  const said = new Set<string>();
  let last: RunState | undefined;
  const once = (key: string, line: () => string): string[] => {
    if (said.has(key)) return [];
    said.add(key);
    return [line()];
  };

  return {
    update(state) {
      last = state;
      const lines: string[] = [];
      if (state.repository.commit) lines.push(...once('header', () => header(state, paint)));
      const [first] = state.steps;
      if (first)
        lines.push(
          ...once('prepared', () =>
            stepLine(
              {
                path: 'open',
                kind: 'mirror',
                title: '',
                state: 'succeeded',
                startedAtMs: 0,
                durationMs: first.startedAtMs - state.startedAtMs,
              },
              { paint, width },
            ),
          ),
        );
      // Rows are told apart by number: a step that was sent back has a second row with the same path.
      const ended = state.steps.filter((row) => row.state !== 'running' && (!isInItem(row) || row.state === 'failed'));
      for (const row of ended.toSorted(
        (a, b) => endedAtMs(a) - endedAtMs(b) || Number(isInItem(b)) - Number(isInItem(a)),
      )) {
        lines.push(...once(`step ${row.number}`, () => stepLine(row, { paint, width })));
      }
      lines.push(...noticeLines(state, once, paint));
      return lines;
    },
    live: (nowMs) => (last && !last.end ? liveLine(last, nowMs, paint) : ''),
  };
}

/** What isn't a step: the change, waits, failures that are tried again, and questions. Each is said once. */
function noticeLines(state: RunState, once: (key: string, line: () => string) => string[], paint: Paint): string[] {
  const lines: string[] = [];
  const { questions, change } = state;
  if (change)
    lines.push(
      ...once(
        `change ${change.number}`,
        () => `${paint('cyan', '·')} change #${change.number} is at ${oneLine(change.url)}`,
      ),
    );
  if (state.phase === 'waiting-for-ci')
    lines.push(
      ...once(`ci ${state.steps.length}`, () => `${paint('cyan', '·')} waiting for the checks of the code host`),
    );
  for (const { activity, message } of state.retries ?? [])
    lines.push(
      ...once(
        `retry ${activity} ${message}`,
        () => `${paint('yellow', '!')} ${trying(activity)} failed: ${oneLine(message, 500)}; it is tried again`,
      ),
    );
  for (const question of questions)
    lines.push(...once(`question ${question.id} ${question.deadlineMs}`, () => questionLines(question, state, paint)));
  return lines;
}

function header({ blueprint, repository, model, runId }: RunState, paint: Paint): string {
  const where = `${repository.name} ${paint('dim', `${oneLine(repository.branch)} ${repository.commit.slice(0, 8)}`)}`;
  return `${paint('bold', oneLine(blueprint.title))} on ${where}\n${paint('dim', `${runId} · blueprint ${blueprint.sha256.slice(0, 12)} · model ${oneLine(model)}`)}`;
}

function stepLine(
  { path, kind, state, durationMs = 0, note = '', usage }: Omit<StepRow, 'number'>,
  { paint, width }: { paint: Paint; width: number },
): string {
  const tokens =
    usage && usage.inputTokens + usage.outputTokens > 0 ? `  ${usage.inputTokens + usage.outputTokens} tokens` : '';
  const took = state === 'skipped' ? '' : formatDuration(durationMs);
  const name = oneLine(path, 40).padEnd(nameWidth);
  const room = Math.max(20, width - Math.max(name.length, nameWidth) - tokens.length - 23);
  return `${paint(colors[state], marks[state])} ${state === 'skipped' ? paint('dim', name) : name}  ${paint('dim', kind.padEnd(7))}  ${took.padStart(8)}  ${paint(state === 'failed' ? 'red' : 'dim', oneLine(note, room))}${paint('dim', tokens)}`.trimEnd();
}

function questionLines(question: Question, { runId, questions }: RunState, paint: Paint): string {
  const id = shortId(runId);
  const who = question.who.length > 0 ? ` (${question.who.map((name) => oneLine(name, 60)).join(', ')})` : '';
  // Several questions may be open, and a message without a step reaches all of them.
  const step = questions.length > 1 ? ` --step '${oneLine(question.id, 200)}'` : '';
  const ways =
    question.kind === 'paused'
      ? [`jig resume ${id}`, `jig cancel ${id}`]
      : [
          `jig approve ${id}${step}`,
          `jig reject ${id}${step} -m WHY`,
          ...(question.sendBackTo.length > 0 ? [`jig send-back ${id}${step} -m WHAT`] : []),
        ];
  const until = new Date(question.deadlineMs).toISOString();
  return `${paint('yellow', '?')} ${oneLine(question.question, 500)}${who}, until ${until}\n  ${ways.join('  ·  ')}`;
}

function liveLine(state: RunState, nowMs: number, paint: Paint): string {
  const row = state.steps.findLast((each) => each.state === 'running' && !isInItem(each));
  const what = row ? `${oneLine(row.path, 40)}${row.kind === 'each' ? ` ${countItems(state, row)}` : ''}` : state.phase;
  const sinceMs = row?.startedAtMs ?? state.steps.at(-1)?.startedAtMs ?? state.startedAtMs;
  const retry = state.retries?.[0];
  const note = retry
    ? `  ${renderRetry(retry, nowMs)}`
    : row && row.title !== row.path
      ? `  ${oneLine(row.title, 60)}`
      : '';
  return `${paint('cyan', marks.running)} ${what}  ${paint('dim', `${formatDuration(Math.max(0, nowMs - sinceMs))}${note}`)}`;
}

function renderRetry({ activity, tries, nextTryAtMs }: Retry, nowMs: number): string {
  const next =
    nextTryAtMs === undefined ? 'trying again now' : `next try in ${formatDuration(Math.max(0, nextTryAtMs - nowMs))}`;
  return `${trying(activity)} failed ${tries === 1 ? 'once' : `${tries} times`}, ${next}`;
}

/** What an activity does, for people. */
function trying(activity: string): string {
  return activity === 'askPrompt' || activity === 'askAgent' ? 'asking the model' : activity;
}

/** How many items of an `each` step have ended, out of how many. */
function countItems({ steps }: RunState, each: StepRow): string {
  const items = new Map<string, boolean>();
  for (const row of steps.slice(steps.indexOf(each) + 1)) {
    const item = row.path.startsWith(`${each.path}[`)
      ? row.path.slice(0, row.path.indexOf(']', each.path.length))
      : undefined;
    if (item !== undefined) items.set(item, (items.get(item) ?? true) && row.state !== 'running');
  }
  const ended = [...items.values()].filter(Boolean).length;
  return each.items === undefined ? `${ended}` : `${ended}/${each.items}`;
}

function endedAtMs({ startedAtMs, durationMs = 0 }: StepRow): number {
  return startedAtMs + durationMs;
}

function isInItem({ path }: StepRow): boolean {
  return path.includes('[');
}
