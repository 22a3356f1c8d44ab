import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import picomatch from 'picomatch';
import { createMatcher } from '../../git/globs.ts';

const cases: [glob: string, path: string, matches: boolean][] = [
  ['*.py', 'a.py', true], ['*.py', 'src/a.py', false], ['**/*.py', 'a.py', true], ['**/*.py', 'src/deep/a.py', true],
  ['src/**', 'src/a/b', true], ['src/**', 'lib/a', false], ['src', 'src/a/b', true], ['src/', 'src/a', true], ['/src', 'src/a', true],
  ['{a,b}/{c,d}.ts', 'b/c.ts', true], ['{a,b}/{c,d}.ts', 'b/e.ts', false], ['?.ts', 'ab.ts', false], ['**/.env*', '.env.local', true],
  ['a\\*b', 'a*b', true], ['a\\*b', 'axb', false], ['**/x/**/y', 'x/y', true], ['**/x/**/y', '1/x/2/3/y', true], ['a.b', 'axb', false],
];
for (const [glob, path, matches] of cases) {
  test(`${glob} ${matches ? 'matches' : 'does not match'} ${path}`, () => assert.equal(createMatcher([glob])(path), matches));
}

test('a glob of names, stars and folders means what other tools take it for', () => {
  const name = fc.array(fc.constantFrom('a', 'b', '.', '*', '?'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('').replaceAll(/\*+/g, '*')).filter((text) => !/^\.+$/.test(text));
  const glob = fc.array(fc.oneof(name, fc.constant('**')), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')).filter((text) => !text.endsWith('**'));
  const path = fc.array(fc.stringMatching(/^[ab.]{1,4}$/).filter((text) => !/^\.+$/.test(text)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(glob, path, (pattern, parts) => {
      const folders = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
      const expected = folders.some((folder) => picomatch.isMatch(folder, pattern, { dot: true }));
      assert.equal(createMatcher([pattern])(parts.join('/')), expected);
    }),
    { numRuns: 500 },
  );
});

test('faults 8: a hostile glob is matched in bounded time', () => {
  const path = `${'a/'.repeat(400)}${'a'.repeat(200)}`;
  const globs = [`${'**/'.repeat(160)}x`, `${'*a'.repeat(250)}b`, `${'**/*a*a*a*/'.repeat(40)}x`, `${'?*'.repeat(250)}x`];
  const started = performance.now();
  for (const glob of globs) assert.equal(createMatcher([glob])(path), false);
  assert.ok(performance.now() - started < 1000);
});

test('faults 28: a glob that is not understood blocks instead of matching nothing', () => {
  for (const glob of ['', 'a'.repeat(513), '!src/**', '[Mm]akefile', '+(a|b)', '{a,b}'.repeat(10), '{'.repeat(3) + 'a,'.repeat(100) + '}']) {
    assert.throws(() => createMatcher([glob]), { name: 'GitRefusal', kind: 'glob-unsupported' }, glob);
  }
});
