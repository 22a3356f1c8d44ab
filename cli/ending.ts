/** Tells how a run ended, and where to look next. */
import { formatDuration } from '../base/durations.ts';
import { errorPages } from '../base/errors.ts';
import { plural } from '../base/plural.ts';
import type { RunState } from '../workflows/messages.ts';
import { dollars, oneLine, printable, table, type Paint } from './output.ts';
import { shortId } from './run-reference.ts';
import { findEvidence } from './where-to-look.ts';

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
    rows.push(['do', ofRun(id, errorPages[end.code].fix)]);
  }
  if (change)
    rows.push(
      ['change', `#${change.number}, ${plural(change.files, 'file')}, ${oneLine(change.url, 500)}`],
      ['diff', `jig diff ${id}`],
    );
  rows.push(['look', uiUrl ?? `jig show ${id}`]);
  return `${paint(colors[end.outcome], paint('bold', end.outcome))}: ${printable(end.reason)}\n${table(rows.map(([name = '', value = '']) => [`  ${name}`, value]))}`;
}

/** Advice, with the run's id in the commands that it names. */
function ofRun(id: string, advice: string): string {
  return advice.replaceAll(/`jig (show|logs|transcript|diff|retry)`/g, (_, command) => `\`jig ${command} ${id}\``);
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
