import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { access, checkRefused, createFixture, type Entry, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.trusted.ensureMirror(fixture.repository, access);
});
afterAll(() => fixture.close());

const refused = (entries: Entry[], code: string, paths?: string[], more = {}) =>
  checkRefused(fixture, entries, code, paths, more);

test('too many files, too many bytes, a file made executable and an LFS pointer each have their own error', async () => {
  await refused(
    [
      { name: 'a', content: 'x' },
      { name: 'b', content: 'x' },
    ],
    'too-many-files',
    [],
    { maxFiles: 1 },
  );
  await refused(
    [
      { name: 'a', content: 'x'.repeat(60) },
      { name: 'b', content: 'x'.repeat(61) },
    ],
    'too-large',
    ['b', 'a'],
    { maxBytes: 120 },
  );
  const executable: Entry[] = [{ name: 'a.txt', mode: '100755', content: 'one\ntwo\n' }];
  await refused(executable, 'mode-change', ['a.txt']);
  assert.equal(
    (await fixture.quarantine(await fixture.bundleOf(executable), { allow: ['mode-change'] })).files[0]?.newMode,
    '100755',
  );
  const pointer: Entry[] = [
    {
      name: 'big.bin',
      content: `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`,
    },
  ];
  await refused(pointer, 'lfs-pointer', ['big.bin']);
  const binary = await fixture.quarantine(
    await fixture.bundleOf([{ name: 'image.png', content: Buffer.from([0, 1, 2, 255]) }]),
  );
  assert.deepEqual([binary.files[0]?.sizeBytes, binary.insertions], [4, 0]);
});

test('a patch that is cut says so', async () => {
  const { commit = '' } = await fixture.quarantine(
    await fixture.bundleOf([{ name: 'long', content: 'line\n'.repeat(1000) }]),
  );
  const patch = Buffer.from(
    await fixture.trusted.createDiff(fixture.repository, fixture.base, commit, { maxBytes: 500 }),
  ).toString();
  assert.ok(patch.length < 600 && patch.endsWith('it was cut here, at 500 bytes.\n'));
});

test('files that decide on CI, review, installation, agents and hooks are protected, in upper and lower case', async () => {
  const inFolder = async (folder: string, name: string): Promise<Entry> => ({
    name: folder,
    mode: '40000',
    id: await fixture.writeTree([{ name, content: 'x' }]),
  });
  const workflows = await fixture.writeTree([
    { name: 'workflows', mode: '40000', id: await fixture.writeTree([{ name: 'ci.yml', content: 'x' }]) },
  ]);
  await refused([{ name: '.github', mode: '40000', id: workflows }], 'protected-path', ['.github/workflows/ci.yml']);
  const names = ['.gitattributes', '.mcp.json', 'AGENTS.md', 'CODEOWNERS', 'claude.md', 'go.sum', 'package-lock.json'];
  const folders = await Promise.all([
    inFolder('.claude', 'settings.json'),
    inFolder('.husky', 'pre-commit'),
    inFolder('docs', 'CODEOWNERS'),
  ]);
  const paths = ['.claude/settings.json', '.husky/pre-commit', ...names, 'docs/CODEOWNERS'];
  await refused([...folders, ...names.map((name) => ({ name, content: 'x' }))], 'protected-path', paths.toSorted());
  await refused([{ name: '.husky', mode: '120000', content: 'src' }], 'protected-path', ['.husky']);
  await refused([{ name: '.GitHub', mode: '120000', content: 'src' }], 'protected-path', ['.GitHub']);
  await refused([await inFolder('web', '.drone.yml'), { name: 'appveyor.yml', content: 'x' }], 'protected-path', [
    'appveyor.yml',
  ]);
});

test('deleting a protected file counts as changing it', async () => {
  const protectedFixture = await createFixture({ CODEOWNERS: '* @ada\n', 'a.txt': 'a\n' });
  await protectedFixture.trusted.ensureMirror(protectedFixture.repository, access);
  const bundle = await protectedFixture.bundleTree(
    await protectedFixture.writeTree([{ name: 'a.txt', content: 'a\n' }]),
  );
  await assert.rejects(protectedFixture.quarantine(bundle), { code: 'protected-path', paths: ['CODEOWNERS'] });
  await protectedFixture.close();
});

test('a change outside the allowed paths is refused, and protected files inside them stay protected', async () => {
  await refused([{ name: 'a.txt', content: 'x' }], 'path-not-allowed', ['a.txt'], { allowedPaths: ['src/**'] });
  await refused([{ name: 'AGENTS.md', content: 'x' }], 'protected-path', ['AGENTS.md'], { allowedPaths: ['**'] });
  await refused([{ name: 'x', content: 'x' }], 'glob-unsupported', [], { allowedPaths: ['!x'] });
});

/** A fixture of its own, with the names of a test's base. */
async function withBase(files: Record<string, string>, work: (other: Fixture) => Promise<void>): Promise<void> {
  const other = await createFixture(files);
  await other.trusted.ensureMirror(other.repository, access);
  await work(other);
  await other.close();
}

test('a lost executable bit is in the result, and a gained one is refused in the words of git', async () => {
  await assert.rejects(
    async () => fixture.quarantine(await fixture.bundleOf([{ name: 'a.txt', mode: '100755', content: 'x' }])),
    { code: 'mode-change', message: /mode 100644 -> 100755/ },
  );
  await withBase({ 'run.sh': 'one\n' }, async (other) => {
    await other.git(['update-index', '--chmod=+x', 'run.sh']);
    await other.git(['commit', '-qm', 'Executable']);
    await other.git(['push', '-q', other.origin, 'HEAD:trunk']);
    await other.trusted.ensureMirror(other.repository, access);
    const base = await other.git(['rev-parse', 'HEAD']);
    const bundlePath = await other.bundleOf([{ name: 'run.sh', content: 'two\n' }]);
    const { files } = await other.quarantine(bundlePath, {}, base);
    assert.deepEqual([files[0]?.oldMode, files[0]?.newMode], ['100755', '100644']);
  });
});

test('a name that the base has may be edited, whatever it is, and its folder may get files', async () => {
  const joiner = '\u0645\u06CC\u200C\u062E';
  await withBase(
    { [`${joiner}.md`]: 'x', 'a:b': 'x', 'aux.c': 'x', 'A.txt': 'x', 'a.txt': 'x', 'end. /x': 'x' },
    async (other) => {
      const edits = [`${joiner}.md`, 'a:b', 'aux.c', 'A.txt', 'a.txt'].map((name): Entry => ({ name, content: 'y' }));
      const folder: Entry = {
        name: 'end. ',
        mode: '40000',
        id: await other.writeTree([
          { name: 'x', content: 'x' },
          { name: 'new', content: 'y' },
        ]),
      };
      assert.equal((await other.quarantine(await other.bundleOf([...edits, folder]))).files.length, 6);
      await checkRefused(other, [{ name: `${joiner}2.md`, content: 'x' }], 'unsafe-path', [`${joiner}2.md`]);
    },
  );
});

test('a new name that Windows has not is refused, unless the policy allows it', async () => {
  for (const name of ['a:b.txt', 'end. ', 'end.', 'a?', 'x|y', '"', 'AUX', 'nul.tar.gz', 'com1', 'Lpt9.txt'])
    await refused([{ name, content: 'x' }], 'unportable-name', [name]);
  const inside = await fixture.writeTree([{ name: 'x', content: 'x' }]);
  await refused([{ name: 'con', mode: '40000', id: inside }], 'unportable-name', ['con/x']);
  const fine = ['console', 'auxiliary.c', 'com10', '.env ple', 'a.b.c'].map((name): Entry => ({ name, content: 'x' }));
  assert.equal((await fixture.quarantine(await fixture.bundleOf(fine))).files.length, 5);
  const allowed = await fixture.bundleOf([{ name: 'a:b.txt', content: 'x' }]);
  assert.equal((await fixture.quarantine(allowed, { allow: ['unportable-name'] })).files.length, 1);
});

test('a new name that equals another but for case or the form of accents is refused, a rename of it is not', async () => {
  await refused([{ name: 'A.TXT', content: 'x' }], 'unportable-name', ['A.TXT']);
  await refused(
    [{ name: 'Src', mode: '40000', id: await fixture.writeTree([{ name: 'c', content: 'x' }]) }],
    'unportable-name',
    ['Src/c'],
  );
  const both: Entry[] = [
    { name: 'caf\u00E9', content: 'x' },
    { name: 'cafe\u0301', content: 'x' },
  ];
  await refused(both, 'unportable-name', ['cafe\u0301', 'caf\u00E9']);
  const nested = await fixture.writeTree([
    { name: 'x', content: 'x' },
    { name: 'X', content: 'x' },
  ]);
  await refused([{ name: 'new', mode: '40000', id: nested }], 'unportable-name', ['new/X', 'new/x']);
  await withBase({ 'a.txt': 'x', b: 'x' }, async (other) => {
    const renamed = await other.writeTree([
      { name: 'A.txt', content: 'x' },
      { name: 'b', content: 'x' },
    ]);
    assert.equal((await other.quarantine(await other.bundleTree(renamed))).files.length, 2);
  });
});

test('what git stores through a filter is refused, and a pointer that only moved is not', async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 5\n`;
  const rules = '*.bin filter=lfs diff=lfs merge=lfs -text\n*.key filter=git-crypt\n*.raw -filter\n';
  await withBase({ '.gitattributes': rules, 'm.bin': pointer, 'n.bin': pointer, 'a.key': 'x' }, async (other) => {
    const raw = (name: string) => checkRefused(other, [{ name, content: 'real content' }], 'filtered-file', [name]);
    await raw('m.bin');
    await raw('new.bin');
    await raw('a.key');
    await checkRefused(other, [{ name: 'm.bin', content: `${pointer}x` }], 'lfs-pointer', ['m.bin']);
    const moved = await other.bundleOf([
      { name: 'a.raw', content: 'x' },
      { name: 'm.bin', mode: '120000', content: 'n.bin' },
      { name: 'o.bin', content: pointer },
    ]);
    assert.equal((await other.quarantine(moved)).files.length, 3);
  });
  const lifted: Entry[] = [
    { name: '.gitattributes', content: '*.bin -filter\n' },
    { name: 'm.bin', content: 'raw' },
  ];
  await withBase({ '.gitattributes': rules, 'm.bin': pointer }, async (other) => {
    await checkRefused(other, lifted, 'filtered-file', ['m.bin'], { protectedPaths: [] });
  });
});
