import assert from 'node:assert/strict';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { access, createFixture, policy, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.trusted.ensureMirror(fixture.repository, access);
});
afterAll(() => fixture.close());

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

test('the commit builds on what the run pushed before, and an unchanged tree gives nothing to push', async () => {
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

test("only what the commit needs gets into the mirror, and none of the bundle's own commits", async () => {
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
      { name: '.gitattributes', content: '* diff=x\n' },
      { name: '.gitconfig', content: config },
      { name: 'hooked.txt', content: 'exact bytes\r\n' },
      {
        name: 'hooks',
        mode: '40000',
        id: await fixture.writeTree([{ name: 'post-checkout', mode: '100755', content: `#!/bin/sh\n${touch}\n` }]),
      },
    ]);
    const filtered = await fixture.bundleOf([{ name: '.gitattributes', content: '* filter=x\n' }]);
    await assert.rejects(fixture.quarantine(filtered, { protectedPaths: [] }), { code: 'filtered-file' });
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

test('the allowed paths can apply to what changed since an earlier export of the run', async () => {
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
