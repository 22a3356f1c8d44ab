/** A run's state as Markdown. The Temporal UI shows it under User Metadata, and a change carries it as evidence. */
import { formatDuration } from '../base/durations.ts';
import { plural } from '../base/plural.ts';
import type { RunState, StepRow } from './messages.ts';

const maxRows = 60;
const marks: Record<StepRow['state'], string> = { running: '▶', succeeded: '✓', failed: '✗', skipped: '–' };

/** Text from outside, as one cell of a Markdown table: it can't end the cell, start markup or mention anyone. */
export function cell(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replaceAll(/[\\`*_{}[\]<>()#!|~@]/g, (mark) => `\\${mark}`)
    .trim();
}

/** The table of the steps. If it outgrows a screen, the steps of `each` items are left out. */
export function renderSteps(steps: StepRow[]): string {
  const rows = steps.length <= maxRows ? steps : steps.filter((row) => !row.path.includes('['));
  const left = rows.slice(-maxRows);
  const lines = left.map((row) => {
    const took = row.durationMs === undefined ? '' : formatDuration(row.durationMs);
    const tokens = row.usage ? ` ${row.usage.inputTokens + row.usage.outputTokens} tokens.` : '';
    return `| ${marks[row.state]} | ${cell(row.path)} | ${row.kind} | ${took} | ${cell(row.note ?? '')}${tokens} |`;
  });
  const omitted = steps.length - left.length;
  return [
    '| | step | kind | took | |',
    '|---|---|---|---|---|',
    ...lines,
    ...(omitted > 0 ? ['', `Not shown: ${plural(omitted, 'more row')}.`] : []),
  ].join('\n');
}

/** Tokens and dollars. A cost that nobody knows is never shown as $0. */
export function renderUsage({ inputTokens, outputTokens, costUsd, unpriced }: RunState['usage']): string {
  const known = `$${costUsd.toFixed(4)}`;
  const cost = unpriced ? (costUsd > 0 ? `${known} and more, price unknown` : 'price unknown') : known;
  return `${plural(inputTokens + outputTokens, 'token')}, ${cost}`;
}

/** The run's current details, for the Temporal UI. */
export function renderDetails(state: RunState): string {
  const { usage, questions, change, end } = state;
  return [
    `**${end ? end.outcome : state.phase}** · ${cell(state.repository.name)} · ${cell(state.blueprint.name)} \`${state.blueprint.sha256.slice(0, 12)}\` · ${cell(state.model)}`,
    ...(end ? [`${cell(end.reason)}${end.step ? ` (step ${cell(end.step)})` : ''}`] : []),
    ...questions.map(({ question }) => `**Waiting for a person**: ${cell(question)}`),
    ...(change ? [`Change #${change.number}: ${cell(change.url)}`] : []),
    renderUsage(usage),
    '',
    renderSteps(state.steps),
  ]
    .join('\n\n')
    .replaceAll('|\n\n|', '|\n|');
}
