import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { readUsualYaml } from '../../blueprints/usual-yaml.ts';
import { readYaml } from '../../blueprints/yaml.ts';

const library = join(import.meta.dirname, '../../blueprints/library');

/** Whether the text was read the quick way; then both ways give the same value. */
function readBothWays(text: string): boolean {
  const value = readUsualYaml(text);
  if (value === undefined) return false;
  const all = readYaml(text);
  assert.deepEqual(all.problems, [], JSON.stringify(text));
  assert.deepStrictEqual(value, all.yaml?.value, JSON.stringify(text));
  return true;
}

test('the quick parser gives the same value as the full parser', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    ': ',
    ':',
    '- ',
    '-',
    '\n',
    '\n',
    '\n  ',
    '\n    ',
    '\n- ',
    '\n  - ',
    ' ',
    '  ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    ', ',
    ',',
    '|\n',
    '|-\n',
    '>\n',
    '|+\n',
    '#',
    ' # x',
    '---',
    '\n ---',
    '\n  ...\n',
    ' %',
    `${'k'.repeat(1100)}: `,
    'k'.repeat(1030),
    '\t',
    '\\',
    '\\n',
    '\\x41',
    '\\u0041',
    "''",
    '0',
    '1',
    '45m',
    '1.5',
    '1e3',
    '0x1',
    '.5',
    'null',
    'Null',
    'true',
    'TRUE',
    '~',
    '<<',
    '?',
    '? ',
    '=',
    '%',
    '@',
    '`',
    '&',
    '*',
    '!',
    'é',
    '\u0085',
    '\u2028',
    '😀',
    '__proto__',
    'toString',
    '${{ a }}',
    'k: ',
    'a: b\n',
    'a: |\n  b\n',
    'a:\n',
    'a: "b"\n',
    '  - c\n',
    '? a\n',
    '? a\n: b\n',
    ' ? b : c',
    '{? a}',
    '|2\n   x\n',
    '|- # c\n  d\n',
    '- - a\n',
    '{}',
    '[]',
    '{a: }',
    '[a: b]',
    '[[a]]: b',
    '"a": b\n',
    '\n...\n',
    '%YAML 1.2\n',
    'a:b',
    'a#b',
    '\n# c\n',
    '"\n"',
    '- ? a\n',
  );
  const written = 'a: b c\nd:\n  - e: 1\n    f: [ g, "h", {i: j} ]\n    k: |\n      l\n\n      m\n  - n\no: { p: q }\n';
  // Somewhere in what is usual, or all of it strange.
  const near = fc
    .array(fc.tuple(fc.nat(written.length), piece), { maxLength: 3 })
    .map((edits) => edits.reduce((text, [at, inserted]) => text.slice(0, at) + inserted + text.slice(at), written));
  const text = fc.oneof(
    near,
    fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
  );
  let quick = 0;
  fc.assert(
    fc.property(text, (source) => {
      if (readBothWays(source)) quick += 1;
    }),
    { numRuns: 20_000 },
  );
  assert.ok(quick > 2000, `${quick} were read the quick way`);
});

test('blueprints as people write them are read by the quick parser', () => {
  for (const name of readdirSync(library))
    assert.ok(readBothWays(readFileSync(join(library, name, 'blueprint.yaml'), 'utf8')), name);
});

test('words, numbers and marks that parsers read differently are left to the full parser', () => {
  for (const text of [
    'a: Null',
    'a: TRUE',
    'a: ~',
    'a: 0x1f',
    'a: 017',
    'a: 1e3',
    'a: .5',
    'a: 1.50',
    'a: -1',
    'a: <<',
    '? a',
    'a: >\n  b',
    'a: |+\n  b',
    'a: |2\n   b',
    'a: b\n  c',
    'a: "b\n  c"',
    'a:\tb',
    'a: b\r\n',
    '__proto__: a',
    '--- a',
    'a\n...',
    '\n...\na: b',
    ' ---\na: b',
    `${'k'.repeat(1100)}: a`,
    `a: { "${'k'.repeat(1100)}": b }`,
    '- ? a',
    'a: { ? b : c }',
    '[ a ]: b',
    'a: { b: c\n# d\n }',
  ])
    assert.equal(readBothWays(text), false, text);
});
