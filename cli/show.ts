import { Command } from 'commander';
import { withClient } from './connection.ts';
import { printEnding, renderUsage } from './ending.ts';
import { paintOut, print, printJson } from './output.ts';
import { createProgress } from './progress.ts';
import { resolveRun } from './run-reference.ts';

export const show = new Command('show')
  .description('Shows where a run is: its steps, what it waits for, and how it ended.')
  .argument('[run]', 'the run (default: the last one)')
  .option('--json', 'print the whole state as one JSON document')
  .action(async (reference: string | undefined, { json }: { json?: true }) => {
    await withClient(async (client) => {
      const runId = await resolveRun(client, reference);
      const state = await client.describe(runId);
      const uiUrl = client.uiUrl(runId);
      if (json) return printJson({ ...state, ...(uiUrl && { uiUrl }) });
      const progress = createProgress({
        paint: paintOut,
        ...(process.stdout.isTTY && { width: process.stdout.columns }),
      });
      for (const line of progress.update(state)) print(line);
      if (state.end) return printEnding(state, uiUrl);
      print(`${progress.live(Date.now())}\n\n${state.phase}, ${renderUsage(state)}\n  ${uiUrl ?? runId}`);
    });
  });
