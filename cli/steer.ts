import { Command } from 'commander';
import { withClient } from './connection.ts';
import { print, printJson } from './output.ts';
import { findPerson } from './person.ts';
import { resolveRun } from './run-reference.ts';

export const steer = new Command('steer')
  .description('Says something to the agent that works now; it hears it before its next turn.')
  .argument('<run>', '- is the last one')
  .argument('<text>', 'what to say')
  .option('--by <name>', 'who says it (default: your name in git)')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExamples:\n  jig steer - "Leave the generated files alone"\n')
  .action(async (reference: string, text: string, { by, json }: { by?: string; json?: true }) => {
    await withClient(async (client) => {
      const runId = await resolveRun(client, reference);
      await client.steer(runId, { by: by ?? (await findPerson()), text });
      if (json) printJson({ runId, done: 'steer' });
      else print(`${runId}: said`);
    });
  });
