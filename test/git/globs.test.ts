import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { createMatcher } from '../../git/globs.ts';

const cases: [glob: string, path: string, matches: boolean][] = [
  ['*.py', 'a.py', true],
  ['*.py', 'src/a.py', false],
  ['**/*.py', 'a.py', true],
  ['**/*.py', 'src/deep/a.py', true],
  ['src/**', 'src/a/b', true],
  ['src/**', 'lib/a', false],
  ['src', 'src/a/b', true],
  ['src/', 'src/a', true],
  ['/src', 'src/a', true],
  ['{a,b}/{c,d}.ts', 'b/c.ts', true],
  ['{a,b}/{c,d}.ts', 'b/e.ts', false],
  ['?.ts', 'ab.ts', false],
  ['**/.env*', '.env.local', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['**/x/**/y', 'x/y', true],
  ['**/x/**/y', '1/x/2/3/y', true],
  ['a.b', 'axb', false],
];
for (const [glob, path, matches] of cases) {
  test(`${glob} ${matches ? 'matches' : 'does not match'} ${path}`, () =>
    assert.equal(createMatcher([glob])(path), matches));
}

/** What a glob means, said as plainly as can be and without a thought for time. */
function means([part, ...parts]: string[], [name, ...names]: string[]): boolean {
  if (part === undefined) return true;
  if (part === '**')
    return (
      means(parts, name === undefined ? [] : [name, ...names]) || (name !== undefined && means([part, ...parts], names))
    );
  if (name === undefined) return false;
  return (
    new RegExp(`^${part.replaceAll('.', '\\.').replaceAll('?', '.').replaceAll('*', '.*')}$`).test(name) &&
    means(parts, names)
  );
}

test('a glob of names, wildcards and folders matches exactly what it should', () => {
  const glob = fc
    .array(fc.oneof(fc.stringMatching(/^[ab.*?]{1,5}$/), fc.constant('**')), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.map((part) => (part === '**' ? part : part.replaceAll(/\*+/g, '*'))));
  const path = fc.array(fc.stringMatching(/^[ab.]{1,4}$/), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(glob, path, (parts, names) =>
      assert.equal(createMatcher([parts.join('/')])(names.join('/')), means(parts, names)),
    ),
    { numRuns: 2000 },
  );
});

test('matching a hostile glob takes limited time', () => {
  const path = `${'a/'.repeat(400)}${'a'.repeat(200)}`;
  const globs = [
    `${'**/'.repeat(160)}x`,
    `${'*a'.repeat(250)}b`,
    `${'**/*a*a*a*/'.repeat(40)}x`,
    `${'?*'.repeat(250)}x`,
  ];
  const started = performance.now();
  for (const glob of globs) assert.equal(createMatcher([glob])(path), false);
  assert.ok(performance.now() - started < 1000);
});

test('a glob that is not understood blocks instead of matching nothing', () => {
  for (const glob of [
    '',
    'a'.repeat(513),
    '!src/**',
    '[Mm]akefile',
    '+(a|b)',
    '{a,b}'.repeat(10),
    '{'.repeat(3) + 'a,'.repeat(100) + '}',
  ]) {
    assert.throws(() => createMatcher([glob]), { name: 'GitRefusal', code: 'glob-unsupported' }, glob);
  }
});
