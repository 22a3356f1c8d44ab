import { Command } from 'commander';
import { JigError } from '../base/errors.ts';
import { withClient } from './connection.ts';
import { renderDiff } from './diff-text.ts';
import { openForge } from './local-data.ts';
import { paintOut, print, printJson } from './output.ts';
import { resolveRun } from './run-reference.ts';

export const diff = new Command('diff')
  .description("Prints the diff of a run's change.")
  .argument('[run]', 'the run (default: the last one)')
  .option('--raw', 'the patch as it is, for git apply')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExamples:\n  jig diff\n  jig diff 9742 --raw | git apply\n')
  .action(async (reference: string | undefined, { raw, json }: { raw?: true; json?: true }) => {
    const state = await withClient(async (client) => client.describe(await resolveRun(client, reference)));
    const { change, repository, runId } = state;
    if (!change)
      throw new JigError(
        'no-change',
        `${runId} has not opened a change${state.end ? `: ${state.end.reason}` : ' yet'}`,
        {
          hint: '`jig show` says where it is.',
        },
      );
    if (repository.forge !== 'local')
      throw new JigError('change-elsewhere', `The change of ${runId} is on ${repository.forge}`, { hint: change.url });
    const forge = await openForge();
    if (raw) {
      process.stdout.write(await forge.getPatch(repository.name, change.number));
      return;
    }
    const patch = await forge.getDiff(repository.name, change.number);
    if (json) printJson({ runId, repository: repository.name, change, patch });
    else print(renderDiff(patch, { paint: paintOut }));
  });
