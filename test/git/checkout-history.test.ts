import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import type { CheckoutHistory } from '../../git/contract.ts';
import { checkoutScript, exportScript } from '../../git/sandbox-scripts.ts';
import { access, createFixture, runScript, type Fixture } from './fixture.ts';

let fixture: Fixture;
/** Three commits of `trunk` with tags: `v1` on the first, `v2` on the second, `blob` on no commit. `late` left at the first. */
let commits: [string, string, string];
let count = 0;
beforeAll(async () => {
  fixture = await createFixture();
  const { git, origin, base } = fixture;
  await git(['tag', '-a', '-m', 'v1', 'v1']);
  await git(['checkout', '-q', '-b', 'late']);
  await git(['commit', '-q', '--allow-empty', '-m', 'Late']);
  await git(['tag', 'late-1']);
  await git(['checkout', '-q', 'trunk']);
  await git(['commit', '-q', '--allow-empty', '-m', 'Second']);
  const second = await git(['rev-parse', 'HEAD']);
  await git(['tag', 'v2']);
  await git(['commit', '-q', '--allow-empty', '-m', 'Third']);
  await git(['tag', 'blob', 'HEAD:a.txt']);
  commits = [base, second, await git(['rev-parse', 'HEAD'])];
  await git(['push', '-q', '--tags', origin, 'trunk', 'late', 'trunk:work', 'trunk:jig-work']);
});
afterAll(() => fixture.close());

interface Wanted {
  commit: string;
  base: { branch: string; commit: string };
  history?: CheckoutHistory;
  repository?: Fixture['repository'];
}

/** Checks out as a sandbox does, and gives git there. */
async function checkOut({ commit, base, history, repository = fixture.repository }: Wanted) {
  const { trusted, folder, gitIn } = fixture;
  await trusted.ensureMirror(repository, access);
  const options = { base: base.commit, ...(history && { history }) };
  const { path: inputFile } = await trusted.createCheckoutBundle(repository, commit, options);
  const workspace = join(folder, `checkout-${++count}`);
  const origin = 'file:///nonexistent/acme/api.git';
  const args = [commit, 'work', 'A', 'a@example.com', base.branch, base.commit, origin];
  const { exitCode, stderr } = await runScript(workspace, checkoutScript, args, { inputFile });
  assert.equal(exitCode, 0, stderr);
  const git = gitIn(workspace);
  assert.equal(await git(['rev-parse', 'HEAD']), commit);
  assert.equal(await git(['status', '--porcelain']), '');
  await git(['fsck', '--strict']);
  return { workspace, git };
}

const refsOf = async (git: Fixture['git']): Promise<string[]> =>
  (await git(['for-each-ref', '--format=%(refname)'])).split('\n');

test('a checkout has the base by its name and as that of origin, and the tags of its history', async () => {
  const { git } = await checkOut({ commit: commits[2], base: { branch: 'trunk', commit: commits[2] } });
  assert.deepEqual(await refsOf(git), [
    'refs/heads/trunk',
    'refs/heads/work',
    'refs/remotes/origin/trunk',
    'refs/tags/v1',
    'refs/tags/v2',
  ]);
  assert.match(await git(['describe']), /^v1-2-g/);
  assert.match(await git(['describe', '--tags']), /^v2-1-g/);
  assert.equal(await git(['merge-base', 'HEAD', 'origin/trunk']), commits[2]);
  assert.equal(await git(['diff', '--stat', 'origin/trunk']), '');
  assert.equal(await git(['rev-list', '--count', 'HEAD']), '3');
});

test('the commit of a change is compared with the base that it was made from', async () => {
  const { git } = await checkOut({ commit: commits[2], base: { branch: 'trunk', commit: commits[1] } });
  assert.equal(await git(['rev-parse', 'trunk']), commits[1]);
  assert.equal(await git(['rev-list', '--count', 'origin/trunk..HEAD']), '1');
});

test('a base that has moved on without the commit is there too', async () => {
  const late = await fixture.git(['rev-parse', 'late']);
  const { git } = await checkOut({ commit: late, base: { branch: 'trunk', commit: commits[2] } });
  assert.equal(await git(['merge-base', 'HEAD', 'origin/trunk']), commits[0]);
  assert.deepEqual((await git(['tag'])).split('\n'), ['late-1', 'v1']);
});

test('with all of the history, the other branches and all tags of commits are there', async () => {
  const { git } = await checkOut({
    commit: commits[1],
    base: { branch: 'trunk', commit: commits[1] },
    history: 'all',
  });
  const refs = await refsOf(git);
  for (const ref of ['remotes/origin/late', 'remotes/origin/work', 'tags/late-1', 'tags/v2'])
    assert.ok(refs.includes(`refs/${ref}`), ref);
  assert.ok(!refs.includes('refs/tags/blob'));
  assert.equal(await git(['rev-parse', 'origin/trunk']), commits[1]);
  assert.equal(await git(['merge-base', 'HEAD', 'origin/late']), commits[0]);
});

test('origin leads nowhere, and says so at once', async () => {
  const { git } = await checkOut({ commit: commits[2], base: { branch: 'trunk', commit: commits[2] } });
  assert.equal(await git(['remote', 'get-url', 'origin']), 'file:///nonexistent/acme/api.git');
  await assert.rejects(git(['fetch', 'origin']), /does not appear to be a git repository|does not exist/);
});

test.for(['work', 'work/more', 'jig-work', 'a"b', "it's"])('a base may have the name %s', async (branch) => {
  const { git } = await checkOut({ commit: commits[2], base: { branch, commit: commits[1] } });
  assert.equal(await git(['rev-parse', `refs/heads/${branch}`]), commits[1]);
  assert.equal(await git(['rev-parse', `refs/remotes/origin/${branch}`]), commits[1]);
});

test('a tag that was moved or removed on the forge is so in the next checkout of the same commit', async () => {
  const { git, origin } = fixture;
  const base = { branch: 'trunk', commit: commits[0] };
  await git(['push', '-q', origin, `${commits[0]}:refs/tags/moving`, `${commits[0]}:refs/tags/going`]);
  assert.equal(await (await checkOut({ commit: commits[0], base })).git(['tag']), 'going\nmoving\nv1');
  await git(['push', '-q', '--force', origin, `${commits[2]}:refs/tags/moving`, ':refs/tags/going']);
  assert.equal(await (await checkOut({ commit: commits[0], base })).git(['tag']), 'v1');
  await git(['push', '-q', origin, ':refs/tags/moving']);
});

test('a shallow repository is checked out as deep as it is, with the tags that it has, and exported', async () => {
  const shallow = join(fixture.folder, 'shallow.git');
  await execa('git', [
    'clone',
    '-q',
    '--bare',
    '--depth',
    '2',
    '--branch',
    'trunk',
    `file://${fixture.origin}`,
    shallow,
  ]);
  await fixture.git(['push', '-q', shallow, 'v2']);
  const repository = { ...fixture.repository, name: 'acme/shallow', cloneUrl: shallow };
  const base = { branch: 'trunk', commit: commits[2] };
  for (const history of ['base', 'all'] as const) {
    const { git, workspace } = await checkOut({ commit: commits[2], base, repository, history });
    assert.equal(await git(['rev-list', '--count', 'HEAD']), '2');
    assert.match(await git(['describe', '--tags']), /^v2-1-g/);
    await writeFile(join(workspace, 'new.txt'), 'new\n');
    const exported = await runScript(workspace, exportScript, [commits[2]]);
    assert.equal(exported.exitCode, 0, exported.stderr);
  }
});
