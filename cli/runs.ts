import { Command, Option } from 'commander';
import { formatDuration } from '../base/durations.ts';
import { outcomes } from '../blueprints/schema.ts';
import type { RunSummary } from '../client/client.ts';
import { withClient } from './connection.ts';
import { wholeNumber } from './option-values.ts';
import { dollars, oneLine, print, printJson, table } from './output.ts';
import { shortId } from './run-reference.ts';

interface Options {
  query?: string;
  repo?: string;
  blueprint?: string;
  outcome?: string;
  needsHuman?: true;
  limit: number;
  json?: true;
}

export const runs = new Command('runs')
  .description('Lists runs, the newest first.')
  .option('--repo <owner/name>', 'only runs on this repository')
  .option('--blueprint <name>', 'only runs of this blueprint')
  .addOption(
    new Option(
      '--outcome <outcome>',
      'only runs that ended with this outcome; `unchecked` is a success whose change no check decided on',
    ).choices([...outcomes, 'unchecked']),
  )
  .option('--needs-human', 'only runs that wait for a person or ended as needs-human')
  .option('--query <filter>', 'a Temporal list filter, such as "JigCostUsd > 0.5"')
  .option('--limit <number>', 'how many runs to list at most', wholeNumber(1, 10_000), 50)
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  jig runs --needs-human
  jig runs --blueprint python-utcnow --outcome failed
  jig runs --query "JigTokens > 10000 AND StartTime > '2026-01-01T00:00:00Z'" --json
`,
  )
  .action(async ({ limit, json, ...filters }: Options) => {
    const query = toQuery(filters);
    const found = await withClient((client) => client.list({ limit, ...(query && { query }) }));
    if (json) return printJson({ runs: found });
    if (found.length === 0) return print('No runs.');
    print(table([['RUN', 'BLUEPRINT', 'REPOSITORY', 'STATE', 'STARTED', 'TOOK', 'COST', 'BY'], ...found.map(rowOf)]));
  });

/**
 * Temporal's filter for the options. Quotes in values are escaped as Temporal requires. Runs that were ended from
 * outside are not waiting for anybody.
 */
export function toQuery({ repo, blueprint, outcome, needsHuman, query }: Omit<Options, 'limit' | 'json'>): string {
  return [
    ...is('JigRepository', repo),
    ...is('JigBlueprint', blueprint),
    ...is('JigOutcome', outcome),
    ...(needsHuman ? ["JigNeedsHuman = true AND ExecutionStatus IN ('Running', 'Completed')"] : []),
    ...(query ? [`(${query})`] : []),
  ].join(' AND ');
}

function is(attribute: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${attribute} = '${value.replaceAll(/['\\]/g, (mark) => `\\${mark}`)}'`];
}

function rowOf(run: RunSummary): string[] {
  const state = run.outcome ?? (run.needsHuman ? `${run.phase} (asks you)` : run.phase);
  const took = formatDuration((run.endedAt ?? new Date()).getTime() - run.startedAt.getTime());
  return [
    shortId(run.runId),
    oneLine(run.blueprint),
    oneLine(run.repository),
    state,
    run.startedAt.toISOString().slice(0, 16).replace('T', ' '),
    took,
    dollars(run.costUsd),
    oneLine(run.requester),
  ];
}
