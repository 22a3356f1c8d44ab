import assert from 'node:assert/strict';
import { test } from 'vitest';
import fc from 'fast-check';
import { carriesMarker, withMarker, withoutMarker } from '../../forge/hidden-marker.ts';
import { neutralize, neutralizeTitle } from '../../forge/neutralize.ts';

const table: [rule: string, text: string, expected: string][] = [
  ['mentions', 'ask @everyone, (@acme/team) and \\@ada', 'ask @ everyone, (@ acme/team) and \\@ ada'],
  ['email addresses, which stay as they are', 'ada@example.com', 'ada@example.com'],
  ['references', 'Closes #1, acme/api#22, !3, GH-4', 'Closes # 1, acme/api# 22, ! 3, GH- 4'],
  [
    'references by address',
    'fixes https://git.example/acme/api/issues/1 and /a/b/pulls/2, /a/b/pull/3, /a/b/-/merge_requests/4',
    'fixes https://git.example/acme/api/%69ssues/1 and /a/b/%70ulls/2, /a/b/%70ull/3, /a/b/-/%6derge_requests/4',
  ],
  [
    'pictures',
    '![](https://evil.example/?d=x) ![a][b] [![c](d)](e)',
    '! [](https://evil.example/?d=x) ! [a][b] [! [c](d)](e)',
  ],
  [
    'pictures of wiki links',
    '[[https://evil.example/x.png]] \\[\\[y.png]]',
    '[ [https://evil.example/x.png]] \\[ \\[y.png]]',
  ],
  [
    'HTML and its comments',
    '<img src=x> <!-- hidden --> </details> a < b <1',
    '< img src=x> < !-- hidden --> < /details> a < b <1',
  ],
  ['character references', '&#64;ada &commat;ada &lt;img> a && b &c', '& # 64;ada & commat;ada & lt;img> a && b &c'],
  ['invisible characters', 'a\u200bb\u{E0041}c\u202ed\u00ade\u3164f\u0007g\u2800h', 'abcdefgh'],
  ['line ends of every kind', 'a\r\nb\rc\u2028d', 'a\nb\nc\nd'],
  [
    'commands to bots',
    '/merge\n  /close now\n> /lgtm\n/usr/bin/env\na /merge',
    '/ merge\n  / close now\n> / lgtm\n/usr/bin/env\na /merge',
  ],
  [
    'instructions to skip checks',
    '[skip ci] [CI skip] [no-ci] ***NO_CI***\nskip-checks: true',
    '[ skip ci] [ CI skip] [ no-ci] *** NO_CI***\nskip-checks : true',
  ],
  ['diagrams that load things', '```mermaid\n~~~  PlantUML', '```text mermaid\n~~~text PlantUML'],
];
for (const [rule, text, expected] of table) {
  test(`made harmless: ${rule}`, () => {
    assert.equal(neutralize(text), expected);
  });
}

test('links, headings, tables, lists and code stay as they are', () => {
  const text =
    '### Evidence\n\n| ✓ | `pytest -q` | 12 passed |\n|---|---|---|\n\n- [the change](https://git.example/acme/api/compare/a...b)\n- **bold** <https\n\n```diff\n-a = [1]\n+a = {2}\n```\n';
  assert.equal(neutralize(text), text.replace('<https', '< https'));
});

const fragments = [
  '@',
  '#',
  '!',
  '[',
  ']',
  '<',
  '&',
  '/',
  '\\',
  '`',
  '~',
  '*',
  'a',
  '1',
  ' ',
  '\n',
  '\u200b',
  '\u202e',
  '\ud800',
  '@everyone',
  'closes #1',
  '![](x)',
  '&#64;',
  '<!--',
  '/merge',
  'GH-1',
  '/issues/1',
  '[skip ci]',
  '***NO_CI',
  '```mermaid',
  'skip-checks:',
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...fragments), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 40 })
  .map((parts) => parts.join(''));
const acting = [
  /(?<![A-Za-z0-9])@[\w-]/,
  /[#!]\d/,
  /(?<![a-z])GH-\d/i,
  /!\[/,
  /\[\\*\[/,
  /<[A-Za-z/!?]/,
  /&#?\w{1,31};/,
  /\/(?:issues|pulls?|merge_requests|work_items)\/\d/i,
  /^[ \t>*+-]*\/[a-z_]+(?:\s|$)/im,
  /\[(?:skip|no)[ -][\w-]+\]|\[[\w-]+[ -]skip\]/i,
  /(?:```|~~~)[ \t]*mermaid/i,
  /^skip-checks:/im,
  /[\u200b\u202e\r]/,
];

test('nothing that a host acts on is left, whatever the text, and applying it again changes nothing', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const safe = neutralize(text);
      for (const pattern of acting) assert.doesNotMatch(safe, pattern);
      assert.ok(safe.isWellFormed());
      assert.equal(neutralize(safe), safe);
    }),
    { numRuns: 3000 },
  );
});

test('text of letters, digits and plain punctuation is left alone', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9 .,:;()'"=+_-]*$/), (text) => {
      fc.pre(!/GH-\d|skip-checks:/i.test(text));
      assert.equal(neutralize(text), text);
    }),
  );
});

test('the time is proportional to the length of the text', () => {
  for (const part of ['[', '@', '&a', '[a-', '/', ' \n /a', '> ', '`', 'skip-', '\\', '![']) {
    const startedAtMs = performance.now();
    neutralize(part.repeat(1_000_000 / part.length));
    assert.ok(performance.now() - startedAtMs < 2000, JSON.stringify(part));
  }
});

test('a title is one line of limited length', () => {
  assert.equal(neutralizeTitle('  a\n\n b\t@c '), 'a b @ c');
  assert.equal(Array.from(neutralizeTitle('👍'.repeat(1000))).length, 240);
});

test('a marker is found only in its own text, and no neutralised text has one', () => {
  const text = withMarker('run/1', 'Body');
  assert.ok(carriesMarker('run/1', text));
  assert.ok(!carriesMarker('run/2', text));
  assert.equal(withoutMarker(text), 'Body');
  assert.equal(withoutMarker(text.replaceAll('\n', '\r\n')), 'Body');
  assert.ok(!carriesMarker('run/1', neutralize(text)));
  assert.equal(withoutMarker(neutralize(text)), neutralize(text));
});
