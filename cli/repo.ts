import { Command } from 'commander';
import { openForge } from './local-data.ts';
import { JigError } from '../base/errors.ts';
import { exitCodes } from './exit-codes.ts';
import { branchName, repositoryName } from './option-values.ts';
import { oneLine, print, printJson, table } from './output.ts';
import { ensureRepository } from './repository.ts';
import { findRepository } from './source.ts';

const add = new Command('add')
  .description("Imports a repository's commits, or brings one branch of it up to date.")
  .argument('<path>', 'a git repository on this machine')
  .option('--name <owner/name>', 'its name in the forge (default: local/FOLDER)', repositoryName)
  .option(
    '--branch <name>',
    'the branch to bring up to date, which becomes the default branch (default: the one that is checked out)',
    branchName,
  )
  .option(
    '--ci <command>',
    'its CI, a shell command; if you give several, the last one decides and the others prepare the checkout',
    (word: string, words: string[]) => [...words, word],
    [],
  )
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    '\nExamples:\n  jig repo add ../api\n  jig repo add ../api --name acme/api --ci "pip install -e . pytest" --ci "pytest -q"\n',
  )
  .action(
    async (path: string, { name, branch, ci, json }: { name?: string; branch?: string; ci: string[]; json?: true }) => {
      const added = await ensureRepository(await openForge(), path, {
        ci,
        ...(name !== undefined && { name }),
        ...(branch !== undefined && { branch, isDefault: true }),
      });
      if (json) printJson(added);
      else print(`${added.name} is in the local forge: jig run BLUEPRINT --repo ${added.name}`);
    },
  );

const list = new Command('list')
  .description('Lists the repositories.')
  .option('--json', 'print one JSON document')
  .action(async ({ json }: { json?: true }) => {
    const forge = await openForge();
    const found = await Promise.all((await forge.listRepositories()).map(async (name) => forge.getRepository(name)));
    if (json) printJson({ repositories: found });
    else if (found.length === 0) print('The local forge has no repositories. Add one: jig repo add PATH');
    else print(table(found.map(({ name, defaultBranch, cloneUrl }) => [name, oneLine(defaultBranch), cloneUrl])));
  });

const update = new Command('update')
  .description(
    'Brings all branches of a repository up to date with the folder that it was imported from, also if their history was rewritten. A branch into which a change was merged is left alone if it has gone another way.',
  )
  .argument('<repository>', 'OWNER/NAME, as `jig repo list` shows it')
  .option('--from <path>', 'where the folder is now')
  .option('--force', 'make every branch what it is in the folder, and give up what was merged')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExamples:\n  jig repo update local/api\n  jig repo update local/api --from ../moved/api\n')
  .action(
    async (repository: string, { from, force = false, json }: { from?: string; force?: boolean; json?: true }) => {
      const forge = await openForge();
      const source = from === undefined ? undefined : (await findRepository(from)).gitDir;
      const branches = await forge.updateRepository(repository, { from: source, force });
      const left = branches.find(({ result }) => result === 'diverged');
      if (json) printJson({ repository, branches });
      else print(table(branches.map(({ branch, result }) => [oneLine(branch), result])));
      if (left && json) process.exitCode = exitCodes.badInput;
      else if (left)
        throw new JigError('history-diverged', left.reason ?? '', left.hint === undefined ? {} : { hint: left.hint });
    },
  );

const remove = new Command('remove')
  .description(
    'Removes a repository and its changes from the local forge. The folder that it was imported from stays as it is. Runs that still work on it will fail.',
  )
  .argument('<repository>', 'OWNER/NAME, as `jig repo list` shows it')
  .option('--force', 'also if changes are open')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExample:\n  jig repo remove local/api\n')
  .action(async (repository: string, { force = false, json }: { force?: boolean; json?: true }) => {
    await (await openForge()).removeRepository(repository, { force });
    if (json) printJson({ removed: repository });
    else print(`${repository} is removed from the local forge.`);
  });

export const repo = new Command('repo')
  .description('The repositories of the local forge.')
  .addCommand(add)
  .addCommand(list)
  .addCommand(update)
  .addCommand(remove);
