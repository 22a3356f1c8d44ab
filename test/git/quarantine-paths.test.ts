import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { isUnsafeLink, isUnsafePath } from '../../git/export-policy.ts';
import { access, checkRefused, createFixture, type Entry, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.trusted.ensureMirror(fixture.repository, access);
});
afterAll(() => fixture.close());

const refused = (entries: Entry[], code: string, paths?: string[], more = {}) =>
  checkRefused(fixture, entries, code, paths, more);

test('submodules and .gitmodules files are refused', async () => {
  const link: Entry = { name: 'sub', mode: '160000', id: fixture.base };
  await refused([link], 'submodule', ['sub']);
  for (const url of [
    'ext::sh -c touch% /tmp/x',
    'file:///etc',
    '../other',
    '--upload-pack=touch /tmp/x',
    'https://example.com/x.git',
  ]) {
    await refused([{ name: '.gitmodules', content: `[submodule "s"]\n\tpath = s\n\turl = "${url}"\n` }], 'submodule');
  }
  await refused(
    [
      { name: '.gitmodules', content: '[submodule "s"]\n\tpath = "s\r"\n\turl = https://example.com/x.git\n' },
      { ...link, name: 's\r' },
    ],
    'unsafe-path',
  );
  await refused(
    [{ name: 'deep', mode: '40000', id: await fixture.writeTree([{ name: '.GitModules', content: 'x' }]) }],
    'submodule',
  );
});

test('a link that is absolute or leads out of the repository is refused, one that stays inside is not', async () => {
  const targets = [
    '/etc/passwd',
    '../other-repo',
    '../../x',
    'src/../../x',
    'src/..',
    '.git/config',
    'src/.GIT',
    'C:\\x',
    'a\nb',
    'x'.repeat(2000),
  ];
  const links = targets.map((content, index): Entry => ({ name: `link${index}`, mode: '120000', content }));
  await refused(
    [...links, { name: 'safe', mode: '120000', content: 'a.txt' }],
    'unsafe-symlink',
    links.map(({ name }) => String(name)),
  );
  const inside: Entry[] = [
    { name: 'link', mode: '120000', content: 'src/b.txt' },
    { name: 'deep', mode: '40000', id: await fixture.writeTree([{ name: 'up', mode: '120000', content: '../a.txt' }]) },
  ];
  assert.equal((await fixture.quarantine(await fixture.bundleOf(inside))).files.length, 2);
});

test('no chain of accepted links leads out of the repository', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const target = fc
    .array(fc.oneof(name, fc.constantFrom('..', '.')), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.join('/'));
  fc.assert(
    fc.property(fc.array(fc.tuple(path, target), { maxLength: 6 }), (candidates) => {
      const links = new Map(
        candidates.filter(
          ([from, to]) => !isUnsafeLink(from, to) && !candidates.some(([other]) => from.startsWith(`${other}/`)),
        ),
      );
      for (const from of links.keys()) assert.ok(staysInside(from, links), JSON.stringify([...links]));
    }),
    { numRuns: 2000 },
  );
});

/** Walks as a file system would: link after link, a name at a time. */
function staysInside(path: string, links: Map<string, string>): boolean {
  let rest = path.split('/');
  const at: string[] = [];
  for (let steps = 0; rest.length > 0 && steps < 200; steps++) {
    const [name = '', ...others] = rest;
    rest = others;
    if (name === '.') continue;
    if (name === '..') {
      if (at.pop() === undefined) return false;
      continue;
    }
    const target = links.get([...at, name].join('/'));
    if (target === undefined) at.push(name);
    else rest = [...target.split('/'), ...rest];
  }
  return true;
}

test('.git is refused in any spelling that some file system accepts for it', async () => {
  for (const name of [
    '.git',
    '.GIT',
    '.Git',
    '.git ',
    '.git.',
    'git~1',
    'GIT~1',
    '.g\u200cit',
    '.git\u200d',
    '.git::$INDEX_ALLOCATION',
    '.git\\config',
    '..',
    '.',
  ]) {
    await refused(
      [{ name, mode: '40000', id: await fixture.writeTree([{ name: 'config', content: '[core]\n' }]) }],
      'unsafe-path',
    );
  }
  await refused([{ name: '.GIT', content: 'gitdir: /tmp\n' }], 'unsafe-path');
  await refused([{ name: 'a/b', content: 'x' }], 'unsafe-path');
  assert.deepEqual(['.gitignore', '.github/x', 'git', 'x.git/y', '...'].filter(isUnsafePath), []);
});

test('names with control characters, broken UTF-8 or too many bytes are refused, and shown escaped', async () => {
  const names = [
    '\u001b[31mred',
    'bell\u0007',
    Buffer.from([0x66, 0xff, 0xfe]),
    'new\nline',
    'right\u202eleft',
    'tab\t',
    'x'.repeat(256),
  ];
  await refused(
    [{ name: 'y', content: 'x' }, ...names.map((name) => ({ name, content: 'x' }))],
    'unsafe-path',
    names.map(String),
  );
  await assert.rejects(
    fixture.quarantine(await fixture.bundleOf([{ name: '\u001b[31m', content: 'x' }])),
    ({ message }: Error) => !message.includes('\u001b'),
  );
});

test('a name that begins with -, contains blanks or quotes, or has 255 bytes is allowed', async () => {
  const names = ['--output=x', '-rf', ' lead', '"quoted"', "it's", '$(id)', '`id`', 'é'.repeat(127), '*', 'ümlaut'];
  const { files, commit = '' } = await fixture.quarantine(
    await fixture.bundleOf(names.map((name) => ({ name, content: 'x\n' }))),
    { allow: ['unportable-name'] },
  );
  assert.deepEqual(files.map(({ path }) => path).toSorted(), names.toSorted());
  assert.equal(
    (await fixture.trusted.readDiffStat(fixture.repository, fixture.base, commit)).files.length,
    names.length,
  );
});
