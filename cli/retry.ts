import { Command } from 'commander';
import { withClient } from './connection.ts';
import { afterStart } from './following.ts';
import { shortText } from './option-values.ts';
import { findPerson } from './person.ts';
import { resolveRun } from './run-reference.ts';

export const retry = new Command('retry')
  .description('Starts a new run with the same blueprint, files, repository and inputs as an earlier run.')
  .argument('<run>', 'the run; - is the last one')
  .option('--by <name>', 'who asks for it (default: your name in git)', shortText)
  .option('-f, --follow', 'show every step as it happens')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExamples:\n  jig retry - --follow\n')
  .action(async (reference: string, { by, ...shown }: { by?: string; follow?: true; json?: true }) => {
    process.exitCode = await withClient(async (client) => {
      const { blueprint, repository, inputs } = await client.request(await resolveRun(client, reference));
      const started = await client.start({ blueprint, repository, inputs, requester: by ?? (await findPerson()) });
      return afterStart(client, started, shown);
    });
  });
