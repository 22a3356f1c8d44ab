/** Tells how a run ended, and where to look next. */
import { formatDuration } from '../base/durations.ts';
import { errorPages } from '../base/errors.ts';
import { plural } from '../base/plural.ts';
import type { RunState } from '../workflows/messages.ts';
import { dollars, oneLine, paintOut, print, printable, table, type Paint } from './output.ts';
import { openArtifacts, readArtifact } from './local-data.ts';
import { shortId } from './run-reference.ts';
import { findEvidence, findLastOutput, hasConversation, outputsOf } from './where-to-look.ts';

/** How many lines of the failed step's output the end shows. */
const maxLastLines = 4;

const colors = {
  succeeded: 'green',
  'nothing-to-do': 'green',
  'needs-human': 'yellow',
  failed: 'red',
  cancelled: 'yellow',
} as const;

export function renderEnding(state: RunState, { paint, uiUrl }: { paint: Paint; uiUrl: string | undefined }): string {
  const { end, change, endedAtMs, startedAtMs, runId } = state;
  if (!end) return '';
  const id = shortId(runId);
  const rows = [['', `after ${formatDuration((endedAtMs ?? startedAtMs) - startedAtMs)}, ${renderUsage(state)}`]];
  if (end.step) rows.push(['step', oneLine(end.step)]);
  if (end.code) {
    rows.push(['code', `${end.code} (docs/errors/${end.code}.md)`]);
    for (const [index, command] of findEvidence(state).entries()) rows.push([index === 0 ? 'output' : '', command]);
    rows.push(['do', adviseOn(state, errorPages[end.code].fix)]);
  }
  if (change)
    rows.push(
      ['change', `#${change.number}, ${plural(change.files, 'file')}, ${oneLine(change.url, 500)}`],
      ['diff', `jig diff ${id}`],
    );
  rows.push(['look', uiUrl ?? `jig show ${id}`]);
  return `${paint(colors[end.outcome], paint('bold', end.outcome))}: ${printable(end.reason)}\n${table(rows.map(([name = '', value = '']) => [`  ${name}`, value]))}`;
}

/** Prints how the run ended and, after a failure, the last lines that the failed step wrote. */
export async function printEnding(state: RunState, uiUrl: string | undefined): Promise<void> {
  print(`\n${renderEnding(state, { paint: paintOut, uiUrl })}`);
  const output = state.end?.code === undefined ? undefined : findLastOutput(state);
  if (!output) return;
  // The run may have kept it on another machine.
  const text = await readArtifact(await openArtifacts(), output).catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-maxLastLines);
  for (const line of lines.filter(Boolean)) print(paintOut('dim', `  │ ${oneLine(line)}`));
}

/** Advice for a run: its id is put into the commands, and a sentence about what the run doesn't have is left out. */
function adviseOn(state: RunState, advice: string): string {
  const has = {
    logs: state.steps.some((row) => outputsOf(row).length > 0),
    transcript: state.steps.some(hasConversation),
  };
  const fits = (sentence: string) =>
    (has.logs || !sentence.includes('`jig logs`')) && (has.transcript || !sentence.includes('`jig transcript`'));
  const said = advice.split(/(?<=\.) (?=[A-Z`])/).filter(fits);
  const named = said
    .join(' ')
    .replaceAll(/`jig (show|logs|transcript|diff|retry)`/g, `\`jig $1 ${shortId(state.runId)}\``);
  return named === '' ? 'Nothing that it wrote or said is kept.' : named;
}

/** What a run spent, or that it asked no model. The tokens of a running agent are known when it ends. */
export function renderUsage({ usage, model, steps, end }: Pick<RunState, 'usage' | 'model' | 'steps' | 'end'>): string {
  const tokens = usage.inputTokens + usage.outputTokens;
  const asked = steps.filter(({ kind, state }) => (kind === 'agent' || kind === 'prompt') && state !== 'skipped');
  const isAsking = !end && asked.some(({ state }) => state === 'running');
  if (tokens === 0 && asked.length === 0) return 'no model was asked';
  const spent =
    tokens === 0
      ? `no answer of a model was paid for${isAsking ? ' so far' : ''}`
      : `${plural(tokens, 'token')}, ${usage.unpriced ? 'price unknown' : dollars(usage.costUsd)}`;
  return `${spent}${isAsking ? ', and a model is at work' : ''}, ${oneLine(model)}`;
}
