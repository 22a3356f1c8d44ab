import { Command } from 'commander';
import { withClient } from './connection.ts';
import { afterStart } from './following.ts';
import { openForge } from './local-data.ts';
import { branchName, shortText } from './option-values.ts';
import { findPerson } from './person.ts';
import { ensureRepository, parseHostedRepository } from './repository.ts';
import { checkStart, parseInputs } from './start-request.ts';

interface Options {
  repo: string;
  branch?: string;
  input: string[];
  ci: string[];
  by?: string;
  key?: string;
  follow?: true;
  json?: true;
}

const collect = (word: string, words: string[]): string[] => [...words, word];

export const run = new Command('run')
  .description(
    'Starts a blueprint on a repository. The blueprint and its inputs are checked first; if there is a problem, nothing starts.',
  )
  .argument(
    '<blueprint>',
    'a folder with a blueprint.yaml in it, one YAML file, - for standard input, or the name of a blueprint in blueprints/library',
  )
  .requiredOption(
    '--repo <path|owner/name>',
    'a git repository on this machine (its commits are imported into the local forge), a repository of the local forge, or FORGE:OWNER/NAME on another code host that the worker knows',
  )
  .option('--branch <name>', 'the branch to start from (default: the one that is checked out)', branchName)
  .option('-i, --input <name=value>', 'an input of the blueprint; can be given several times', collect, [])
  .option(
    '--ci <command>',
    "the repository's CI in the local forge, a shell command; if you give several, the last one decides and the others prepare the checkout",
    collect,
    [],
  )
  .option('--by <name>', 'who asks for it (default: your name in git)', shortText)
  .option(
    '--key <text>',
    'starts only one run of this blueprint on this repository with this key, however often you ask',
    shortText,
  )
  .option('-f, --follow', 'show every step as it happens; the exit code is that of the run')
  .option('--json', "print JSON: the run's id, or with --follow a line for each event")
  .addHelpText(
    'after',
    `
Examples:
  jig run python-utcnow --repo ../api --follow
  jig run python-utcnow --repo ../api --input folder=src --ci "pip install -e . pytest" --ci "pytest -q"
  jig run ./mine --repo local/api --json
  jig run ./mine.yaml --repo gitea:acme/api --follow

Runs need \`jig up\` or \`jig worker\` somewhere. While you follow a run, Ctrl-C only stops following.
`,
  )
  .action(async (reference: string, { repo, branch, input, ci, by, key, follow, json }: Options) => {
    const { blueprint, inputs } = await checkStart(reference, parseInputs(input));
    const wanted = { ci, ...(branch !== undefined && { branch }) };
    const hosted = parseHostedRepository(repo, wanted);
    process.exitCode = await withClient(async (client) => {
      const repository = hosted ?? (await ensureRepository(await openForge(), repo, wanted));
      const started = await client.start({
        blueprint,
        repository,
        inputs,
        requester: by ?? (await findPerson()),
        ...(key !== undefined && { idempotencyKey: key }),
      });
      return afterStart(client, started, { ...(follow && { follow }), ...(json && { json }) });
    });
  });
