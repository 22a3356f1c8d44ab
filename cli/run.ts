import { Command } from 'commander';
import { withClient } from './connection.ts';
import { afterStart } from './following.ts';
import { openForge } from './local-data.ts';
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
    'Starts a blueprint on a repository. The blueprint and its inputs are checked first; nothing starts on a bad one.',
  )
  .argument(
    '<blueprint>',
    'a folder with a blueprint.yaml in it, one YAML file, - for standard input, or the name of one in blueprints/library',
  )
  .requiredOption(
    '--repo <path|owner/name>',
    'a git repository on this machine (its commits are imported into the local forge), one of the local forge, or FORGE:OWNER/NAME on a code host of the worker',
  )
  .option('--branch <name>', 'the branch to start from (default: the one that is checked out)')
  .option('-i, --input <name=value>', 'an input of the blueprint; may stand several times', collect, [])
  .option(
    '--ci <command>',
    "the repository's CI in the local forge, a shell command; the last decides, those before it prepare",
    collect,
    [],
  )
  .option('--by <name>', 'who asks for it (default: your name in git)')
  .option(
    '--key <text>',
    'the same key starts one run of the blueprint on the repository, however often it is asked for',
  )
  .option('-f, --follow', "show every step as it happens; the exit code is the run's")
  .option('--json', "print JSON: the run's id, or with --follow a line for each event")
  .addHelpText(
    'after',
    `
Examples:
  jig run python-utcnow --repo ../api --follow
  jig run python-utcnow --repo ../api --input folder=src --ci "pip install -e . pytest" --ci "pytest -q"
  jig run ./mine --repo local/api --json
  jig run ./mine.yaml --repo gitea:acme/api --follow

Runs need \`jig up\` or \`jig worker\` somewhere. Ctrl-C while following only stops looking.
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
