import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { productSources, testSources, type Source } from './sources.ts';

const maxFileLines = 350;
const maxFunctionLines = 60;

/** Tables of words, which are read a row at a time. */
const tables = new Set(['base/errors.ts', 'base/language-errors.ts', 'base/run-errors.ts']);

/** A line that opens a function's body; the line that closes it has the same indent. */
const opens =
  /^( *)(?:.*\bfunction\b.*|.*=>|(?:async |static |override |get |set )*[#\w[\]]+(?:<.*>)?\(.*\)(?:: .+)?) \{$/;
const noFunction = /^ *(?:\} ?)?(?:if|for|while|switch|catch|else|do|try)\b/;

function longFunctions({ path, text }: Source): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, start) => {
    const indent = noFunction.test(line) ? undefined : opens.exec(line)?.[1];
    if (indent === undefined) return [];
    const length = lines.slice(start + 1).findIndex((each) => each.startsWith(`${indent}}`)) + 2;
    return length > maxFunctionLines ? [`${path}:${start + 1}: ${length} lines`] : [];
  });
}

describe('sources', () => {
  it(`have at most ${maxFileLines} lines a file`, () => {
    const long = [...productSources, ...testSources]
      .filter(({ path }) => !tables.has(path))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    assert.deepEqual(
      long.filter(({ lines }) => lines > maxFileLines).map(({ path, lines }) => `${path}: ${lines} lines`),
      [],
    );
  });

  it(`have at most ${maxFunctionLines} lines a function`, () => {
    const body = 'await one();\n'.repeat(maxFunctionLines);
    for (const head of [
      'export async function a(b: string): Promise<void> {',
      '  const a = async (b: string) => {',
      '  async #a<T>(b: T): Promise<T> {',
    ]) {
      assert.equal(
        longFunctions({ path: 'a.ts', text: `${head}\n${body}${/^ */.exec(head)?.[0]}}\n` }).length,
        1,
        head,
      );
    }
    assert.deepEqual(productSources.flatMap(longFunctions), []);
  });

  it('have no tests that are skipped, focused or unfinished', () => {
    // A test may find out while it runs that its machine can't, and say why.
    const left = /\b(?:it|test|describe|suite)\.(?:skip|only|todo)\b|\b(?:skip|only|todo): true\b|\bskip\(\)/;
    assert.deepEqual(
      testSources.flatMap(({ path, text }) => (left.test(text) ? [path] : [])),
      [],
    );
  });

  it('are imported by file, not by folder, except for the bundle of a worker', () => {
    const barrels = productSources.filter(({ path }) => /(^|\/)index\.(ts|mjs)$/.test(path)).map(({ path }) => path);
    assert.deepEqual(barrels, ['workflows/index.ts']);
  });

  it('have no to-do comments', () => {
    const reminder = new RegExp(['TO', 'DO|FIX', 'ME|X', 'XX'].join(''));
    assert.deepEqual(
      [...productSources, ...testSources].filter(({ text }) => reminder.test(text)).map(({ path }) => path),
      [],
    );
  });
});
