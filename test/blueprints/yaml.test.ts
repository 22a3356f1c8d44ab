import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { checkBlueprint, parseBlueprint } from '../../blueprints/check.ts';
import { BlueprintInvalid } from '../../blueprints/issues.ts';
import { maxBlueprintBytes } from '../../blueprints/text.ts';
import { issuesOf } from './support.ts';

const minimal = 'blueprint: v1\nname: test\nsteps:\n  - run: ls\n';

test('an alias bomb is refused quickly, at its anchors', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replaceAll(/./g, (name) => {
    const before = String.fromCharCode(name.charCodeAt(0) - 1);
    return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(',')}]\n`;
  })}`;
  issuesOf(minimal);
  const memoryBefore = process.memoryUsage().rss;
  const startedAt = performance.now();
  const issues = issuesOf(bomb);
  assert.ok(performance.now() - startedAt < 50);
  assert.ok(process.memoryUsage().rss - memoryBefore < 20 * 1024 * 1024);
  assert.equal(issues[0], '1:4 yaml-feature');
});

test('deep nesting is refused before it is parsed, thirty times in the same process', () => {
  const texts = [
    '['.repeat(850),
    '{a: '.repeat(850),
    '['.repeat(100_000),
    '- '.repeat(850),
    '? '.repeat(850),
    'a: - '.repeat(400),
    '[ "]", '.repeat(850),
    Array.from({ length: 300 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
    `x: |\n  text\n"y: |\n  z": ${'['.repeat(850)}`,
    `# z: |\n  ${'['.repeat(850)}`,
  ];
  // A block of text on each level closes none of them.
  const blocks = Array.from({ length: 100 }, (_, level) =>
    `x: |\n  t\ny: |\na:\n`.replaceAll(/^/gm, ' '.repeat(level)).trimEnd(),
  ).join('\n');
  const lists = Array.from({ length: 10 }, (_, level) =>
    [`${'- '.repeat(30)}x: |`, `${' '.repeat(61)}t`, `${' '.repeat(60)}y:`]
      .map((line) => ' '.repeat(level * 61) + line)
      .join('\n'),
  ).join('\n');
  for (const text of [blocks, lists, `${lists}\n${' '.repeat(610)}z`])
    assert.deepEqual(
      issuesOf(text).map((issue) => issue.split(' ')[1]),
      ['blueprint-nested-too-deep'],
      text.slice(0, 200),
    );
  for (let count = 0; count < 30; count++) {
    for (const text of texts) assert.match(issuesOf(text).at(-1) ?? '', /blueprint-nested-too-deep/, text.slice(0, 20));
  }
  assert.deepEqual(issuesOf(minimal), []);
});

test('brackets in a script are text, however many are not closed', () => {
  const script = `      echo '[[[[[[[[[[{{{{{{{{{{'\n`.repeat(20);
  assert.deepEqual(issuesOf(`blueprint: v1\nname: test\nsteps:\n  - run: |\n${script}`), []);
});

test('a text of 256 KB is read, and one more byte is refused', () => {
  const filled = `${minimal}#${'x'.repeat(maxBlueprintBytes - minimal.length - 1)}`;
  assert.deepEqual(issuesOf(filled), []);
  assert.deepEqual(issuesOf(`${filled}x`), ['1:1 blueprint-too-large']);
  assert.deepEqual(issuesOf(new Uint8Array(maxBlueprintBytes + 1)), ['1:1 blueprint-too-large']);
  assert.deepEqual(issuesOf('é'.repeat(maxBlueprintBytes / 2 + 1)), ['1:1 blueprint-too-large']);
});

test('a text with too many tokens is refused before it is parsed', () => {
  for (const piece of ['"', ',', '[]', '- \n', '\n', '?\n'])
    assert.match(
      issuesOf(`[${piece.repeat(Math.floor(200_000 / piece.length))}`)[0] ?? '',
      /blueprint-too-large/,
      piece,
    );
});

test('a duplicate key is refused at its second place', () => {
  assert.deepEqual(issuesOf(`${minimal}name: again\nblueprint: v1\n`), [
    '5:1 yaml-duplicate-key',
    '6:1 yaml-duplicate-key',
  ]);
});

test('a second document is refused where it starts', () => {
  assert.deepEqual(issuesOf(`${minimal}---\n${minimal}`), ['5:1 yaml-syntax']);
});

test('a tag, an anchor, an alias and a directive are refused with their lines', () => {
  assert.deepEqual(issuesOf(minimal.replace('test', '!secret test')), ['2:7 yaml-feature']);
  assert.deepEqual(issuesOf(minimal.replace('test', '&a test')), ['2:7 yaml-feature']);
  assert.deepEqual(issuesOf(minimal.replace('test', '*a')), ['2:7 yaml-feature']);
  assert.deepEqual(issuesOf(`%YAML 1.1\n---\n${minimal}`), ['1:1 yaml-feature']);
});

test('NUL and invalid UTF-8 are refused with their line', () => {
  assert.deepEqual(issuesOf(`${minimal}title: "\0"\n`), ['5:1 blueprint-not-text']);
  const bytes = new TextEncoder().encode(`${minimal}title: x\n`);
  bytes[bytes.length - 2] = 0xff;
  assert.deepEqual(issuesOf(bytes), ['5:1 blueprint-not-text']);
});

test('a byte order mark is accepted and does not shift columns', () => {
  assert.deepEqual(issuesOf(`\uFEFF${minimal}`), []);
  assert.deepEqual(
    issuesOf(
      new Uint8Array([0xef, 0xbb, 0xbf, ...new TextEncoder().encode('blueprint: v2\nname: test\nsteps: [ run: ls ]')]),
    ),
    ['1:12 wrong-value blueprint'],
  );
});

test('special words of YAML 1.1 are text, as in YAML 1.2', () => {
  const { blueprint } = checkBlueprint(`${minimal}title: yes\ndescription: 0o17 on\n`, { file: 'b.yaml' });
  assert.equal(blueprint?.title, 'yes');
});

test('__proto__ can’t be a key, and constructor is a name like any other', () => {
  assert.deepEqual(issuesOf(`${minimal}__proto__: { polluted: 1 }\n`), ['5:1 yaml-feature']);
  assert.deepEqual(issuesOf(`${minimal}inputs: { __proto__: { type: string } }\n`), ['5:11 yaml-feature']);
  assert.deepEqual(issuesOf(minimal.replace('run: ls', '{ id: __proto__, run: ls }')), [
    '4:11 wrong-value steps[0].id',
  ]);
  assert.deepEqual(issuesOf(minimal.replace('run: ls', '{ id: toString, run: ls }')), ['4:11 wrong-value steps[0].id']);
  const constructor = minimal.replace(
    'run: ls',
    "{ id: constructor, run: ls }\n  - { run: ls, if: steps.constructor.stdout == '' }",
  );
  assert.deepEqual(issuesOf(constructor), []);
  assert.deepEqual(issuesOf(constructor.replace('id: constructor', 'id: other')), [
    '5:20 unknown-reference steps[1].if',
  ]);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('a text that is not a map, and an empty text, are refused', () => {
  for (const text of ['', '# nothing', '[]', '3', 'text', '- run: ls']) assert.equal(issuesOf(text).length, 1, text);
});

test('parseBlueprint throws all issues at once', () => {
  assert.equal(parseBlueprint(minimal, { file: 'b.yaml' }).name, 'test');
  assert.throws(
    () => parseBlueprint('blueprint: v2\nname: X\nsteps: [ run: ls ]', { file: 'b.yaml' }),
    (error) =>
      error instanceof BlueprintInvalid &&
      error.code === 'blueprint-invalid' &&
      error.issues.length === 2 &&
      error.message.startsWith('b.yaml:1:12: '),
  );
});

test('checking never throws, whatever the text', () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '|',
    '>',
    '#',
    '&',
    '*',
    '!',
    '%',
    '---\n',
    '...\n',
    '?',
    ',',
    '\t',
    '${{',
    '}}',
    'steps:',
    'run: ',
    'each: ',
    'do:',
    'if: ',
  );
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => `${minimal}${pieces.join('')}`);
  fc.assert(
    fc.property(
      fc.oneof(text, fc.string({ unit: 'binary', maxLength: 200 }), fc.uint8Array({ maxLength: 200 })),
      (source) => {
        const { blueprint, issues } = checkBlueprint(source, { file: 'b.yaml' });
        return (
          (blueprint === undefined) === issues.length > 0 &&
          issues.every(({ line, column }) => line >= 1 && column >= 1)
        );
      },
    ),
    { numRuns: 1000 },
  );
});

test('a text that begins with a line of a tab is refused, because its indentation is unclear', () => {
  const script = (lines: string) => `blueprint: v1\nname: x\nsteps:\n  - id: a\n    run: |\n${lines}`;
  for (const lines of ['    \t\n    description: x\n', '\n      \t \n      ls\n', '      \t\r\n      ls\n'])
    assert.match(issuesOf(script(lines))[0] ?? '', /^[67]:1 yaml-syntax$/, JSON.stringify(lines));
  for (const lines of ['      \tls\n', '      ls\n      \t\n      ls\n', '      ls\n      \tls\n'])
    assert.deepEqual(issuesOf(script(lines)), [], JSON.stringify(lines));
});

test('a text that the parsers read in two ways has the places of its own mistakes', () => {
  const indented = ` ---\n${minimal.replace('run: ls', 'run: ls\n    tmeout: 5s')}`;
  assert.equal(issuesOf(indented)[0], '1:2 yaml-syntax');
  assert.deepEqual(issuesOf(`${minimal}k${'A'.repeat(1100)}: []\n`), ['5:1 yaml-syntax']);
});
