import { Command } from 'commander';
import { withClient } from './connection.ts';
import { shortText } from './option-values.ts';
import { print, printJson } from './output.ts';
import { stepOption } from './message-command.ts';
import { findPerson } from './person.ts';
import { resolveRun } from './run-reference.ts';

export const steer = new Command('steer')
  .description('Says something to all agents that are working, or to one of them. Each hears it before its next turn.')
  .argument('<run>', 'the run; - is the last one')
  .argument('<text>', 'what to say')
  .option('--step <path>', stepOption)
  .option('--by <name>', 'who says it (default: your name in git)', shortText)
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  jig steer - "Leave the generated files alone"
  jig steer - --step 'modules[3].fix' "Keep its API"
`,
  )
  .action(async (reference: string, text: string, { by, json, step }: { by?: string; json?: true; step?: string }) => {
    await withClient(async (client) => {
      const runId = await resolveRun(client, reference);
      await client.steer(runId, { by: by ?? (await findPerson()), text, ...(step !== undefined && { step }) });
      if (json) printJson({ runId, done: 'steer' });
      else print(`${runId}: said`);
    });
  });
