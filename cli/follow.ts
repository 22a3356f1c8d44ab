import { Command } from 'commander';
import { withClient } from './connection.ts';
import { followRun } from './following.ts';
import { resolveRun } from './run-reference.ts';

export const follow = new Command('follow')
  .description('Shows every step of a run as it happens, to its end. Ctrl-C only stops looking.')
  .argument('[run]', 'the run (default: the last one)')
  .option('--json', 'print one line of JSON for each event')
  .addHelpText('after', "\nExit code: the run's, as `jig --help` lists them.\n")
  .action(async (reference: string | undefined, { json = false }: { json?: boolean }) => {
    process.exitCode = await withClient(async (client) =>
      followRun(client, await resolveRun(client, reference), { json }),
    );
  });
