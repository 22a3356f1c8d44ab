import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { braceExpand, minimatch } from 'minimatch';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { defaults } from '../../base/defaults.ts';
import { createMatcher, createProtection } from '../../git/globs.ts';

const cases: [glob: string, path: string, matches: boolean][] = [
  ['*.py', 'a.py', true],
  ['*.py', 'src/a.py', false],
  ['**/*.py', 'a.py', true],
  ['**/*.py', 'src/deep/a.py', true],
  ['src/**', 'src/a/b', true],
  ['src/**', 'lib/a', false],
  ['src', 'src/a/b', true],
  ['src/', 'src/a', true],
  ['{a,b}/{c,d}.ts', 'b/c.ts', true],
  ['{a,b}/{c,d}.ts', 'b/e.ts', false],
  ['?.ts', 'ab.ts', false],
  ['**/.env*', '.env.local', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['**/x/**/y', 'x/y', true],
  ['**/x/**/y', '1/x/2/3/y', true],
  ['a.b', 'axb', false],
  ['src/*', 'src/a/b.py', false],
  ['*', 'a/b/c', false],
  ['tests*', 'tests/x/y', false],
  ['src/**', 'src', false],
  ['src*/', 'src1/a/b', true],
  ['src*/', 'src1', false],
  ['./src/**', 'src/a.py', true],
  ['src/../lib/**', 'lib/a', true],
  ['src//a.py', 'src/a.py', true],
  ['packages/@acme/ui/**', 'packages/@acme/ui/a', true],
  ['src/routes/+page.svelte', 'src/routes/+page.svelte', true],
  ['app/(group)/page.tsx', 'app/(group)/page.tsx', true],
  ['app/\\[id\\]/page.tsx', 'app/[id]/page.tsx', true],
  ['{src,test}/**', 'src/a', true],
  ['{a,b{c,d}}', 'bd', true],
  ['{a}', '{a}', true],
  ['a\\{b,c\\}', 'a{b,c}', true],
  ['[Mm]akefile', 'makefile', true],
  ['[!a-c]x', 'dx', true],
  ['[!a-c]x', 'bx', false],
  ['[]-]x', ']x', true],
  ['???', 'a😀b', true],
  ['a|b', 'a|b', true],
  ['a**b', 'axyb', true],
  ['a**b', 'ax/yb', false],
];
for (const [glob, path, matches] of cases) {
  test(`${glob} ${matches ? 'matches' : 'does not match'} ${path}`, () =>
    assert.equal(createMatcher([glob])(path), matches));
}

const globs = fc
  .array(
    fc.oneof(
      fc.constant('**'),
      fc
        .array(
          fc.constantFrom(
            'a',
            'b',
            '.',
            '*',
            '?',
            '[ab]',
            '[!a]',
            '[^b-c]',
            '{a,b}',
            '{a,*b}',
            '(',
            ')',
            '\\*',
            '\\[',
            '@',
            '+',
          ),
          {
            minLength: 1,
            maxLength: 4,
          },
        )
        .map((pieces) => pieces.join('')),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join('/'))
  .filter((glob) => !/[?*+@!}]\(|\.\.|(^|[/,{])\.($|[/,}])/.test(glob))
  // More are refused.
  .filter((glob) => braceExpand(glob).length <= 32);
const paths = fc
  .array(fc.stringMatching(/^[ab.*[()@+]{1,3}$/), { minLength: 1, maxLength: 4 })
  .filter((names) => !names.some((name) => /^\.+$/.test(name)))
  .map((names) => names.join('/'));

test('a glob means what minimatch means by it, and what lies in a folder belongs to its name', () => {
  fc.assert(
    fc.property(globs, paths, (glob, path) => {
      const alternatives = braceExpand(glob);
      const expected = alternatives.some(
        (each) =>
          minimatch(path, each, { dot: true, nonegate: true, nocomment: true }) ||
          // A name without wildcards stands for its folder too, as git has it.
          (!/[*?[\\]/.test(each) && minimatch(path, `${each}/**`, { dot: true, nonegate: true, nocomment: true })),
      );
      assert.equal(createMatcher([glob])(path), expected, `${glob} ${path}`);
    }),
    { numRuns: 5000 },
  );
});

test('a glob without braces means what git means by it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jig-globs-'));
  try {
    const git = (args: string[], input?: string) =>
      execa('git', ['-C', folder, ...args], { ...(input !== undefined && { input }) });
    await git(['init', '-q']);
    const names = fc.sample(paths, { numRuns: 300, seed: 7 });
    // One name can't be a file and a folder.
    const files = [...new Set(names)].filter((name) => !names.some((other) => other.startsWith(`${name}/`)));
    const { stdout: blob } = await git(['hash-object', '-w', '--stdin'], '');
    await git(['update-index', '--index-info'], files.map((file) => `100644 ${blob} 0\t${file}\n`).join(''));
    const some = fc.sample(globs, { numRuns: 150, seed: 7 }).filter((glob) => !glob.includes('{'));
    for (const glob of some) {
      const { stdout } = await git(['ls-files', '-z', '--', `:(glob)${glob}`]);
      const matches = createMatcher([glob]);
      assert.deepEqual(files.filter(matches).toSorted(), stdout.split('\0').filter(Boolean).toSorted(), glob);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a protected glob covers folders that it matches, in capitals or not', () => {
  const { protects, hides } = createProtection(['.github/workflows/**', 'secret*', '/Keys']);
  for (const path of [
    '.github/workflows/a.yml',
    '.GitHub/Workflows/a.yml',
    '.github/workflows',
    'secrets/a/b',
    'keys/a',
  ])
    assert.ok(protects(path), path);
  for (const path of ['.github/a', 'src/secrets', 'src/keys']) assert.ok(!protects(path), path);
  assert.ok(hides('.GITHUB'));
  assert.ok(hides('.github/workflows'));
  assert.ok(!hides('src'));
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
    '#a',
    '+(a|b)',
    'src/!(a)',
    '/src',
    '../src',
    'a*/../b',
    '.',
    './',
    'a/..',
    '[a',
    '[b-a]',
    '[[:alpha:]]',
    'a\\',
    '{1..3}',
    '{,a}/b',
    '{a,b}'.repeat(10),
    `{${'a,'.repeat(100)}}`,
  ]) {
    assert.throws(() => createMatcher([glob]), { name: 'GitRefusal', code: 'glob-unsupported' }, glob);
  }
});

test('what editors, shells, package managers and agents read in a checkout is protected, wherever it is', () => {
  const isProtected = createMatcher([...defaults.change.protectedPaths]);
  const read = [
    '.vscode/tasks.json',
    'web/.vscode/mcp.json',
    '.idea/workspace.xml',
    '.devcontainer/devcontainer.json',
    '.devcontainer.json',
    '.envrc',
    'packages/a/.npmrc',
    '.yarnrc.yml',
    '.yarn/releases/yarn-4.cjs',
    '.mvn/wrapper/maven-wrapper.properties',
    '.cargo/config.toml',
    '.cursor/rules/a.mdc',
    '.kiro/hooks/a.json',
  ];
  assert.deepEqual(
    read.filter((path) => !isProtected(path)),
    [],
  );
  const ordinary = ['src/vscode/tasks.json', 'npmrc', 'docs/envrc.md', 'cargo/config.toml'];
  assert.deepEqual(ordinary.filter(isProtected), []);
});
