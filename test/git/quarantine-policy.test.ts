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
    (await fixture.quarantine(await fixture.bundleOf(executable), { allow: ['executable'] })).files[0]?.newMode,
    '100755',
  );
  const pointer: Entry[] = [
    {
      name: 'big.bin',
      content: `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`,
    },
  ];
  await refused(pointer, 'lfs-pointer', ['big.bin']);
  assert.equal((await fixture.quarantine(await fixture.bundleOf(pointer), { allow: ['lfs-pointer'] })).files.length, 1);
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
