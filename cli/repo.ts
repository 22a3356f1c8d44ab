import { Command } from 'commander';
import { openForge } from './local-data.ts';
import { branchName, repositoryName } from './option-values.ts';
import { oneLine, print, printJson, table } from './output.ts';
import { ensureRepository } from './repository.ts';

const add = new Command('add')
  .description("Imports a repository's commits, or brings its default branch up to date.")
  .argument('<path>', 'a git repository on this machine')
  .option('--name <owner/name>', 'its name in the forge (default: local/FOLDER)', repositoryName)
  .option('--branch <name>', 'the default branch (default: the one that is checked out)', branchName)
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
        ...(branch !== undefined && { branch }),
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

export const repo = new Command('repo')
  .description('The repositories of the local forge.')
  .addCommand(add)
  .addCommand(list);
