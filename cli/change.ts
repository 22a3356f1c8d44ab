import { Command } from 'commander';
import type { Change } from '../forge/contract.ts';
import { describeChange, findChangeReference } from './change-reference.ts';
import { renderDiff } from './diff-text.ts';
import { openForge } from './local-data.ts';
import { renderMarkdown } from './markdown-text.ts';
import { shortText } from './option-values.ts';
import { oneLine, paintOut, print, printable, printJson, table } from './output.ts';
import { findPerson } from './person.ts';

interface Options {
  by?: string;
  unapproved?: true;
  message?: string;
  json?: true;
}

const list = new Command('list')
  .description('Lists the changes of one repository, or of all.')
  .argument('[repository]', 'OWNER/NAME')
  .option('--json', 'print one JSON document')
  .action(async (repository: string | undefined, { json }: Options) => {
    const forge = await openForge();
    const names = repository === undefined ? await forge.listRepositories() : [repository];
    const found = (
      await Promise.all(
        names.map(async (name) => (await forge.listChanges(name)).map((change) => ({ repository: name, ...change }))),
      )
    ).flat();
    if (json) return printJson({ changes: found });
    if (found.length === 0) return print('No changes.');
    print(
      table(
        found.map((change) => [
          `${change.repository}#${change.number}`,
          describeState(change),
          oneLine(change.title, 60),
          oneLine(change.branch),
        ]),
      ),
    );
  });

const show = on(
  'show',
  'Shows a change: its text, its checks and its diff.',
  async (forge, repository, number, { json }) => {
    const change = await describeChange(forge, repository, number);
    const [checks, approvals, comments, patch] = await Promise.all([
      forge.listChecks(repository, change.headCommit),
      forge.listApprovals(repository, number),
      forge.listComments(repository, number),
      forge.getDiff(repository, number),
    ]);
    if (json) return printJson({ repository, ...change, checks, approvals, comments, patch });
    print(
      `${paintOut('bold', oneLine(change.title))}  ${repository}#${number}, ${describeState(change)}\n${oneLine(change.branch)} → ${oneLine(change.base)} at ${change.headCommit.slice(0, 12)}`,
    );
    for (const { by, at } of approvals) print(`approved by ${oneLine(by)}, ${at}`);
    for (const check of checks.toSorted((a, b) => Number(a.state === 'passed') - Number(b.state === 'passed')))
      print(
        `\n${paintOut('bold', `check ${oneLine(check.name)}: ${check.state}`)}${check.logExcerpt ? `\n${printable(check.logExcerpt.trimEnd())}` : ''}`,
      );
    print(`\n${readable(change.body)}`);
    for (const { by, at, body } of comments) print(`\n${paintOut('bold', oneLine(by))}, ${at}\n${readable(body)}`);
    print(`\n${oneLine(change.url, 500)}\n\n${renderDiff(patch, { paint: paintOut })}`);
  },
);

const approve = on(
  'approve',
  'Approves a change at its current commit.',
  async (forge, repository, number, { by, json }) => {
    say(await forge.approve(repository, number, by ?? (await findPerson())), 'approved', repository, json);
  },
);

const merge = on(
  'merge',
  'Merges a change that is approved.',
  async (forge, repository, number, { by, unapproved, json }) => {
    say(
      await forge.merge(repository, number, by ?? (await findPerson()), { unapproved: unapproved ?? false }),
      'merged',
      repository,
      json,
    );
  },
).option('--unapproved', 'merge without an approval');

const close = on(
  'close',
  'Closes a change without merging it.',
  async (forge, repository, number, { message, json }) => {
    say(await forge.closeChange(repository, number, message ?? 'closed by hand'), 'closed', repository, json);
  },
).option('-m, --message <text>', 'why');

export const change = new Command('change')
  .description('The changes of the local forge.')
  .addHelpText(
    'after',
    '\nExamples:\n  jig change list\n  jig change show local/api 1\n  jig change approve 1 && jig change merge 1\n\nYou can leave out the repository if the forge has only one. You can also write local/api#1.\n',
  );
for (const command of [list, show, approve, merge, close]) change.addCommand(command);

/** A command for one change, named as `REPO NUMBER`, `REPO#NUMBER`, or `NUMBER` in the only repository. */
function on(
  name: string,
  description: string,
  act: (
    forge: Awaited<ReturnType<typeof openForge>>,
    repository: string,
    number: number,
    options: Options,
  ) => Promise<void>,
): Command {
  return new Command(name)
    .description(description)
    .argument('<change...>', 'OWNER/NAME NUMBER')
    .option('--by <name>', 'who does it (default: your name in git)', shortText)
    .option('--json', 'print one JSON document')
    .action(async (words: string[], options: Options) => {
      const forge = await openForge();
      const { repository, number } = findChangeReference(words, await forge.listRepositories());
      await act(forge, repository, number, options);
    });
}

function say(change: Change, done: string, repository: string, json: true | undefined): void {
  if (json) printJson({ repository, ...change });
  else print(`${repository}#${change.number} is ${done}: ${oneLine(change.url, 500)}`);
}

const readable = (markdown: string): string => renderMarkdown(printable(markdown.trim()), paintOut);

function describeState({ state, draft }: Change): string {
  return draft && state === 'open' ? 'draft' : state;
}
