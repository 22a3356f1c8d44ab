import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { GitRefusal } from '../../git/contract.ts';
import { isUnsafeLink, isUnsafePath } from '../../git/export-policy.ts';
import { access, createFixture, policy, type Entry, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.trusted.ensureMirror(fixture.repository, access);
});
afterAll(() => fixture.close());

const refused = async (entries: Entry[], code: string, paths?: string[], more = {}) =>
  assert.rejects(fixture.quarantine(await fixture.bundleOf(entries), more), (error: GitRefusal) => {
    assert.deepEqual([error.name, error.code], ['GitRefusal', code], `${JSON.stringify(entries)}: ${error.message}`);
    if (paths) assert.deepEqual(error.paths, paths);
    return true;
  });
const mirrorGit = async (...args: string[]) => {
  const [mirror = ''] = (await readdir(join(fixture.cacheDir, 'mirrors'))).filter((name) => name.endsWith('.git'));
  return fixture.gitIn(join(fixture.cacheDir, 'mirrors', mirror))(args);
};

test('the tree becomes one commit of the given author, and the same request makes the same commit', async () => {
  const bundle = await fixture.bundleOf([
    { name: 'a.txt', content: 'one\nTWO\n' },
    { name: 'new.txt', content: '1\n2\n' },
  ]);
  const exported = await fixture.quarantine(bundle);
  assert.deepEqual(await fixture.quarantine(bundle), exported);
  assert.deepEqual(
    { ...exported, commit: '' },
    {
      commit: '',
      base: fixture.base,
      insertions: 3,
      deletions: 1,
      files: [
        { path: 'a.txt', status: 'modified', oldMode: '100644', newMode: '100644', sizeBytes: 8 },
        { path: 'new.txt', status: 'added', oldMode: '000000', newMode: '100644', sizeBytes: 4 },
      ],
    },
  );
  assert.equal(
    await mirrorGit('show', '-s', '--format=%P|%an <%ae>|%cn|%aI|%s', exported.commit ?? ''),
    `${fixture.base}|Jig <jig@example.com>|Jig|2026-01-02T03:04:05+00:00|Use aware datetimes`,
  );
});

test('the commit stands on what the run pushed before, and a tree that is the same again is nothing to push', async () => {
  const first = await fixture.quarantine(await fixture.bundleOf([{ name: 'one', content: '1' }]));
  const bundlePath = await fixture.bundleOf([
    { name: 'one', content: '1' },
    { name: 'two', content: '2' },
  ]);
  const request = {
    repository: fixture.repository,
    base: fixture.base,
    policy,
    message: 'Second',
    author: { name: 'J', email: 'j@example.com' },
    date: '2026-01-02T03:04:05Z',
  };
  assert.ok(first.commit);
  const second = await fixture.trusted.quarantine({ ...request, parent: first.commit, bundlePath, key: 'second' });
  assert.equal(await mirrorGit('rev-parse', `${second.commit}^`), first.commit);
  assert.deepEqual(
    second.files.map(({ path }) => path),
    ['one', 'two'],
  );
  assert.ok(second.commit);
  assert.equal(
    (await fixture.trusted.quarantine({ ...request, parent: second.commit, bundlePath, key: 'third' })).commit,
    undefined,
  );
  assert.equal((await fixture.quarantine(await fixture.bundleOf([]))).commit, undefined);
});

test("only what the commit needs comes into the mirror: nothing of the bundle's own commits", async () => {
  const bundle = await fixture.bundleOf([{ name: 'kept', content: 'kept\n' }]);
  const theirs = await fixture.git(['rev-parse', 'refs/heads/export']);
  const { commit = '' } = await fixture.quarantine(bundle);
  await assert.rejects(mirrorGit('cat-file', '-e', theirs));
  assert.equal(await mirrorGit('rev-list', '--count', `${fixture.base}..${commit}`), '1');
  assert.deepEqual(await readdir(join(fixture.cacheDir, 'quarantine')), []);
});

test('hooks, monitors, filters, text conversion and diff programs of the repository never run on the trusted side', async () => {
  const canary = join(fixture.folder, 'canary');
  const touch = `touch ${canary}`;
  const home = join(fixture.folder, 'home');
  await mkdir(home, { recursive: true });
  const config = `[core]\n\tfsmonitor = ${touch}\n\tsshCommand = ${touch}\n\thooksPath = ${home}\n\tattributesFile = ${home}/attributes\n[diff]\n\texternal = ${touch}\n[diff "x"]\n\ttextconv = ${touch}\n\tcommand = ${touch}\n[filter "x"]\n\tclean = ${touch}\n\tsmudge = ${touch}\n\tprocess = ${touch}\n[uploadpack]\n\tpackObjectsHook = ${touch}\n`;
  await writeFile(join(home, '.gitconfig'), config);
  await writeFile(join(home, 'attributes'), '* diff=x filter=x\n');
  for (const hook of ['reference-transaction', 'pre-push', 'post-update', 'pre-auto-gc'])
    await writeFile(join(home, hook), `#!/bin/sh\n${touch}\n`, { mode: 0o755 });
  const before = { ...process.env };
  Object.assign(process.env, {
    HOME: home,
    GIT_EXTERNAL_DIFF: touch,
    GIT_SSH_COMMAND: touch,
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_PROXY_COMMAND: touch,
  });
  try {
    const bundle = await fixture.bundleOf([
      { name: '.gitattributes', content: '* diff=x filter=x\n' },
      { name: '.gitconfig', content: config },
      { name: 'hooked.txt', content: 'exact bytes\r\n' },
      {
        name: 'hooks',
        mode: '40000',
        id: await fixture.writeTree([{ name: 'post-checkout', mode: '100755', content: `#!/bin/sh\n${touch}\n` }]),
      },
    ]);
    const { commit = '' } = await fixture.quarantine(bundle, { protectedPaths: [] });
    const patch = Buffer.from(await fixture.trusted.createDiff(fixture.repository, fixture.base, commit)).toString();
    assert.ok(patch.includes('+exact bytes\r\n'));
    await fixture.trusted.readDiffStat(fixture.repository, fixture.base, commit);
    await fixture.trusted.createCheckoutBundle(fixture.repository, commit);
    await fixture.trusted.pushBranch({
      repository: fixture.repository,
      access,
      commit,
      branch: 'jig/hooks',
      expected: undefined,
    });
    await fixture.trusted.ensureMirror(fixture.repository, access);
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
  await assert.rejects(stat(canary), { code: 'ENOENT' });
});

test('submodules, and files that say where they come from, are refused', async () => {
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

test('what is not one whole bundle is refused', async () => {
  const { folder } = fixture;
  const whole = await readFile(await fixture.bundleOf([{ name: 'x', content: 'x'.repeat(5000) }]));
  const headerEnd = whole.indexOf('\n\n');
  const head = await fixture.git(['rev-parse', 'refs/heads/export']);
  const flipped = Buffer.from(whole);
  flipped.writeUInt8((flipped.at(-40) ?? 0) ^ 0xff, flipped.length - 40);
  const hostile: Record<string, Buffer> = {
    nothing: Buffer.alloc(0),
    'other bytes': Buffer.from('#!/bin/sh\n\n'),
    'a tar with ../': Buffer.concat([Buffer.from('../../etc/passwd'), Buffer.alloc(1008)]),
    'a header without an end': whole.subarray(0, headerEnd),
    'a pack that ends early': whole.subarray(0, -30),
    'a pack with a flipped bit': flipped,
    'two heads': Buffer.concat([
      whole.subarray(0, headerEnd),
      Buffer.from(`\n${head} refs/heads/more`),
      whole.subarray(headerEnd),
    ]),
    'a head that is not in it': Buffer.concat([
      Buffer.from(`# v2 git bundle\n${'1'.repeat(40)} refs/heads/x`),
      whole.subarray(headerEnd),
    ]),
    'a head that is an option': Buffer.concat([
      Buffer.from('# v2 git bundle\n--output=x refs/heads/x'),
      whole.subarray(headerEnd),
    ]),
  };
  for (const [rule, bytes] of Object.entries(hostile)) {
    const path = join(folder, 'not-a.bundle');
    await writeFile(path, bytes);
    await assert.rejects(fixture.quarantine(path), { name: 'GitRefusal', code: 'bundle-corrupt' }, rule);
  }
});

test('a bundle of another history, whose base is not in the mirror, is refused', async () => {
  const other = await createFixture({ 'other.txt': 'other\n' });
  const bundle = await other.bundleOf([{ name: 'x', content: 'x' }]);
  await assert.rejects(fixture.quarantine(bundle), { code: 'bundle-corrupt' });
  await other.close();
});

test(
  'bombs are refused by caps: large, a tree of 10^10 paths, a million names, zeros, and deltas that unfold',
  { timeout: 60_000 },
  async () => {
    const large = join(fixture.folder, 'large.bundle');
    await writeFile(large, '');
    await truncate(large, 300_000_000);
    await assert.rejects(fixture.quarantine(large), { code: 'too-large' });

    let tree = await fixture.writeTree([{ name: 'file', content: 'x' }]);
    for (let level = 0; level < 10; level++)
      tree = await fixture.writeTree('abcdefghij'.split('').map((name) => ({ name, mode: '40000', id: tree })));
    await assert.rejects(fixture.quarantine(await fixture.bundleTree(tree)), { code: 'too-many-files' });

    const id = await fixture.git(['hash-object', '-w', '--stdin'], 'x');
    const names = Array.from({ length: 1_000_000 }, (_, index) =>
      Buffer.concat([Buffer.from(`100644 ${String(index).padStart(7, '0')}\0`), Buffer.from(id, 'hex')]),
    );
    tree = await fixture.git(['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'], Buffer.concat(names));
    await assert.rejects(fixture.quarantine(await fixture.bundleTree(tree)), { code: 'too-many-files' });

    await refused([{ name: 'zeros', content: Buffer.alloc(8_000_000) }], 'too-large', ['zeros']);
    await assert.rejects(fixture.quarantine(await deltaBomb()), { code: 'too-large' });
    assert.deepEqual(await readdir(join(fixture.cacheDir, 'quarantine')), []);
  },
);

/** A number as packs write it: seven bits a byte, the low ones first. */
function size(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
}

/** A pack of one megabyte, and a delta of a few kilobytes that copies it two thousand times. */
async function deltaBomb(): Promise<string> {
  const header = (type: number, length: number) => {
    const first = (type << 4) | (length & 15);
    return length < 16 ? Buffer.from([first]) : Buffer.concat([Buffer.from([first | 0x80]), size(length >> 4)]);
  };
  const block = 0xf0000;
  const copies = 2000;
  const base = Buffer.alloc(block);
  const delta = Buffer.concat([
    size(block),
    size(block * copies),
    ...Array.from({ length: copies }, () => Buffer.from([0xc0, 0x0f])),
  ]);
  const first = Buffer.concat([header(3, base.length), deflateSync(base)]);
  const baseId = createHash('sha1').update(`blob ${block}\0`).update(base).digest();
  const second = Buffer.concat([header(7, delta.length), baseId, deflateSync(delta)]);
  const pack = Buffer.concat([Buffer.from('PACK'), Buffer.from([0, 0, 0, 2, 0, 0, 0, 2]), first, second]);
  const path = join(fixture.folder, 'delta.bundle');
  await writeFile(
    path,
    Buffer.concat([
      Buffer.from(`# v2 git bundle\n${fixture.base} refs/heads/x\n\n`),
      pack,
      createHash('sha1').update(pack).digest(),
    ]),
  );
  return path;
}

test('.git in any spelling that some file system takes for it is refused', async () => {
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

test('a name that starts with -, holds blanks or quotes, or has 255 bytes is a name like any other', async () => {
  const names = ['--output=x', '-rf', ' lead', '"quoted"', "it's", '$(id)', '`id`', 'é'.repeat(127), '*', 'ümlaut'];
  const { files, commit = '' } = await fixture.quarantine(
    await fixture.bundleOf(names.map((name) => ({ name, content: 'x\n' }))),
  );
  assert.deepEqual(files.map(({ path }) => path).toSorted(), names.toSorted());
  assert.equal(
    (await fixture.trusted.readDiffStat(fixture.repository, fixture.base, commit)).files.length,
    names.length,
  );
});

test('too many files, too many bytes, a file made executable and an LFS pointer have an outcome each', async () => {
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

test('what decides on CI, review, installation, agents and hooks is protected, in any case of its letters', async () => {
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

test('deleting a protected file is a change to it', async () => {
  const protectedFixture = await createFixture({ CODEOWNERS: '* @ada\n', 'a.txt': 'a\n' });
  await protectedFixture.trusted.ensureMirror(protectedFixture.repository, access);
  const bundle = await protectedFixture.bundleTree(
    await protectedFixture.writeTree([{ name: 'a.txt', content: 'a\n' }]),
  );
  await assert.rejects(protectedFixture.quarantine(bundle), { code: 'protected-path', paths: ['CODEOWNERS'] });
  await protectedFixture.close();
});

test('a change outside of the allowed paths is refused, and protection holds inside of them', async () => {
  await refused([{ name: 'a.txt', content: 'x' }], 'path-not-allowed', ['a.txt'], { allowedPaths: ['src/**'] });
  await refused([{ name: 'AGENTS.md', content: 'x' }], 'protected-path', ['AGENTS.md'], { allowedPaths: ['**'] });
  await refused([{ name: 'x', content: 'x' }], 'glob-unsupported', [], { allowedPaths: ['[a-z]'] });
});

test('the allowed paths can be held against what came since an earlier export of the run', async () => {
  const { trusted, repository, base } = fixture;
  const request = {
    repository,
    base,
    message: 'm',
    author: { name: 'J', email: 'j@example.com' },
    date: '2026-01-02T03:04:05Z',
  };
  const { commit: since } = await trusted.quarantine({
    ...request,
    policy,
    bundlePath: await fixture.bundleOf([{ name: 'by-code', content: '1' }]),
    key: 'before',
  });
  assert.ok(since);
  const after = { ...request, since, policy: { ...policy, allowedPaths: ['by-agent'] } };
  const { files } = await trusted.quarantine({
    ...after,
    bundlePath: await fixture.bundleOf([
      { name: 'by-code', content: '1' },
      { name: 'by-agent', content: '2' },
    ]),
    key: 'after',
  });
  assert.deepEqual(
    files.map(({ path }) => path),
    ['by-agent', 'by-code'],
  );
  const undone = await fixture.bundleOf([{ name: 'by-agent', content: '2' }]);
  await assert.rejects(trusted.quarantine({ ...after, bundlePath: undone, key: 'undone' }), {
    code: 'path-not-allowed',
    paths: ['by-code'],
  });
});

test('an aborted quarantine leaves nothing behind', async () => {
  const request = {
    repository: fixture.repository,
    base: fixture.base,
    policy,
    bundlePath: await fixture.bundleOf([{ name: 'x', content: 'x' }]),
    message: 'm',
    author: { name: 'J', email: 'j@example.com' },
    date: '2026-01-02T03:04:05Z',
    key: 'aborted',
  };
  await assert.rejects(fixture.trusted.quarantine(request, AbortSignal.abort()), { name: 'AbortError' });
  assert.deepEqual(await readdir(join(fixture.cacheDir, 'quarantine')), []);
});
