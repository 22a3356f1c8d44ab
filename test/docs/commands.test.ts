import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { Command, CommanderError } from 'commander';
import { checkBlueprint } from '../../blueprints/check.ts';
import { commands } from '../../cli/commands.ts';
import manifest from '../../package.json' with { type: 'json' };
import { blocksOf, pages, proseOf, root } from './markdown.ts';

interface Shown {
  path: string;
  line: string;
}

/** Lines of shell blocks, and what stands in single backticks. */
const shown: Shown[] = pages.flatMap((page) => {
  const lines = blocksOf(page, 'sh').flatMap((code) => code.replaceAll(/\\\n\s*/g, ' ').split('\n'));
  const spans = [...proseOf(page).matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, span = '']) => span);
  return [...lines, ...spans].map((line) => ({ path: page.path, line }));
});

/** The words of the first simple command from `start` on, as a shell splits them. */
function wordsFrom(line: string, start: number): string[] {
  const words: string[] = [];
  for (const [word] of line.slice(start).matchAll(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g)) {
    if (/^(?:[|&;<>#]|·)/.test(word)) break;
    words.push(word.replaceAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, '$1$2'));
  }
  return words;
}

const jigCommands = shown.flatMap(({ path, line }) => {
  const found = [...line.matchAll(/(?:^|&& |\| |^[A-Z_]+=.* )jig (?=[a-z-])/g)];
  return found.map((match) => ({ path, line, words: wordsFrom(line, match.index + match[0].length) }));
});

/** What the command line itself says of the words; nothing is carried out. */
async function findProblem(words: string[]): Promise<string | undefined> {
  const entry = commands[words[0] ?? ''];
  if (!entry) return words[0] === 'help' ? undefined : 'no such command';
  const program = new Command('jig').addCommand(await entry.load());
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command.commands.length === 0) command.action(() => {});
    command.commands.forEach(quiet);
  };
  quiet(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    // A command that is only named needs no arguments.
    if (error instanceof CommanderError && (error.exitCode === 0 || words.length <= 2))
      return /unknown/.test(error.message) ? error.message : undefined;
    return error instanceof Error ? error.message : String(error);
  }
}

describe('what the documentation shows', () => {
  it('are commands and options that exist', async () => {
    assert.ok(jigCommands.length > 60, `only ${jigCommands.length} commands were read`);
    const problems: string[] = [];
    for (const { path, line, words } of jigCommands) {
      const problem = await findProblem(words);
      if (problem) problems.push(`${path}: ${line}: ${problem}`);
    }
    assert.deepEqual(problems, []);
  });

  it('are scripts of package.json', () => {
    const scripts = shown.flatMap(({ path, line }) =>
      [...line.matchAll(/\bnpm run (?:-s )?([a-z:]+)/g)].map(([, name = '']) => ({ path, name })),
    );
    assert.ok(scripts.length > 5);
    assert.deepEqual(
      scripts.filter(({ name }) => !(name in manifest.scripts)),
      [],
    );
  });

  it('are blueprints without problems', () => {
    const blueprints = pages.flatMap((page) =>
      blocksOf(page, 'yaml')
        .filter((text) => /^blueprint: v1$/m.test(text))
        .map((text) => ({ file: page.path, text })),
    );
    assert.ok(blueprints.some(({ file }) => file === 'README.md'));
    assert.deepEqual(
      blueprints.flatMap(({ file, text }) => checkBlueprint(text, { file }).issues),
      [],
    );
  });

  it('are files that exist', () => {
    const named = shown
      .filter(({ path }) => !path.startsWith('docs/errors/'))
      .flatMap(({ path, line }) =>
        [
          ...line.matchAll(
            /(?<![\w/.~-])((?:docs|test|scripts|blueprints|cli|worker|workflows|activities|sandbox|forge|git|agent|model|client|evidence|binaries|demo|artifacts)\/[\w./-]+\.(?:ts|mjs|yaml|md|sh|json))\b/g,
          ),
        ].map(([, file = '']) => ({ path, file })),
      );
    assert.ok(named.length > 20, `only ${named.length} files were read`);
    assert.deepEqual(
      named.filter(({ file }) => !file.includes('NAME') && !isFile(file)).map(({ path, file }) => `${path}: ${file}`),
      [],
    );
  });
});

function isFile(path: string): boolean {
  try {
    readFileSync(join(root, path));
    return true;
  } catch {
    return false;
  }
}
