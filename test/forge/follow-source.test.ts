import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, test } from 'vitest';
import { execa } from 'execa';
import { createLocalForge, type LocalForge } from '../../forge/local/local-forge.ts';

const env = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};
const name = 'local/api';

let folder: string;
let count = 0;
let root: string;
let source: string;
let forge: LocalForge;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jig-follow-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  root = join(folder, String(++count));
  source = join(root, 'api');
  forge = createLocalForge({ rootDir: join(root, 'forge') });
  await mkdir(source, { recursive: true });
  await git('init', '-q', '-b', 'main');
  await commit('one');
});

const gitIn = async (cwd: string, ...args: string[]): Promise<string> =>
  (await execa('git', args, { cwd, env })).stdout;
const git = (...args: string[]): Promise<string> => gitIn(source, ...args);
async function commit(text: string, where = source): Promise<void> {
  await writeFile(join(where, `${text}.txt`), `${text}\n`);
  await gitIn(where, 'add', '-A');
  await gitIn(where, 'commit', '-qm', text);
}
const ensure = (more: { source?: string; branch?: string; defaultBranch?: string } = {}) =>
  forge.ensureRepository({ name, source, ...more });
const headOf = async (branch = 'main'): Promise<string> =>
  gitIn((await forge.getRepository(name)).cloneUrl, 'rev-parse', `refs/heads/${branch}`);

/** Opens a change of the copy's branch `main`, and merges it. */
async function mergeChange(): Promise<number> {
  const { number } = await openChange();
  await forge.merge(name, number, 'ada', { unapproved: true });
  return number;
}

async function openChange(base = 'main'): Promise<{ number: number }> {
  const { cloneUrl } = await forge.getRepository(name);
  const clone = join(root, `clone-${++count}`);
  await gitIn(root, 'clone', '-q', '--branch', base, cloneUrl, clone);
  await commit(`change-${count}`, clone);
  const branch = `jig/${count}`;
  await gitIn(clone, 'push', '-q', 'origin', `HEAD:refs/heads/${branch}`);
  const texts = { title: 't', body: '', marker: branch };
  return forge.ensureChange({ repository: name, branch, base, ...texts, draft: false, labels: [] });
}

test('the branch that an import brings up to date never becomes the default branch', async () => {
  await git('branch', 'late');
  assert.equal((await ensure({ branch: 'late' })).defaultBranch, 'main');
  await git('checkout', '-q', 'late');
  await commit('two');
  assert.equal((await ensure()).defaultBranch, 'main');
  assert.equal(await headOf('late'), await git('rev-parse', 'late'));
  const { cloneUrl } = await forge.getRepository(name);
  assert.equal(await gitIn(cloneUrl, 'symbolic-ref', 'HEAD'), 'refs/heads/main');
  assert.equal((await ensure({ defaultBranch: 'late' })).defaultBranch, 'late');
});

test('with a detached HEAD, the branch that is named is the default branch of a first import', async () => {
  await git('branch', 'late');
  await git('checkout', '-q', '--detach');
  await assert.rejects(ensure(), { code: 'branch-not-found' });
  assert.deepEqual(await forge.listRepositories(), []);
  assert.equal((await ensure({ branch: 'late' })).defaultBranch, 'late');
});

test.for(['an amended first commit', 'an amended commit', 'a rebase', 'a commit that was dropped'])(
  'a copy into which nothing was merged follows %s',
  async (how) => {
    if (how !== 'an amended first commit') await commit('two');
    if (how === 'a rebase') await commit('three');
    await ensure();
    if (how === 'a rebase') await git('-c', 'sequence.editor=sed -i 1d', 'rebase', '-q', '-i', 'HEAD~2');
    else if (how === 'a commit that was dropped') await git('reset', '-q', '--hard', 'HEAD~1');
    else await git('commit', '-q', '--amend', '-m', 'Better');
    await ensure();
    assert.equal(await headOf(), await git('rev-parse', 'main'));
    await git('commit', '-q', '--amend', '-m', 'Even better');
    await ensure();
    assert.equal(await headOf(), await git('rev-parse', 'main'));
  },
);

test('a change that is open when the history is rewritten can still be seen, closed and told from one that merges', async () => {
  await ensure();
  const { number } = await openChange();
  await git('commit', '-q', '--amend', '-m', 'Better');
  await ensure();
  assert.match(await forge.getDiff(name, number), /^\+change-/m);
  await assert.rejects(forge.merge(name, number, 'ada', { unapproved: true }), {
    code: 'forge-conflict',
    message: /history of main was rewritten/,
  });
  assert.equal((await forge.closeChange(name, number, 'old')).state, 'closed');
});

test('a history that was rewritten after a merge is said to be, with the commands that bring it up to date', async () => {
  await commit('two');
  await ensure();
  await mergeChange();
  const merged = await headOf();
  assert.equal((await ensure()).empty, false);
  assert.equal(await headOf(), merged);
  for (const rewrite of [
    ['commit', '-q', '--amend', '-m', 'Better'],
    ['reset', '-q', '--hard', 'HEAD~1'],
  ]) {
    await git(...rewrite);
    await assert.rejects(ensure(), {
      code: 'history-diverged',
      message: /history of main was rewritten in .*local\/api has [1-9]\d* commits? /,
      hint: /git pull --rebase .*jig repo update local\/api --force/,
    });
    assert.equal(await headOf(), merged);
  }
  const [left] = await forge.updateRepository(name);
  assert.equal(left?.result, 'diverged');
  assert.equal(await headOf(), merged);
  const [forced] = await forge.updateRepository(name, { force: true });
  assert.equal(forced?.result, 'updated');
  assert.equal(await headOf(), await git('rev-parse', 'main'));
  await git('commit', '-q', '--amend', '-m', 'Again');
  await ensure();
  assert.equal(await headOf(), await git('rev-parse', 'main'));
});

test('commits on both sides are no rewritten history, and once the merged ones are pulled, the copy follows', async () => {
  await ensure();
  await mergeChange();
  await commit('two');
  await assert.rejects(ensure(), { code: 'history-diverged', message: /^main went on in / });
  await git('pull', '-q', '--rebase', (await forge.getRepository(name)).cloneUrl, 'main');
  await ensure();
  assert.equal(await headOf(), await git('rev-parse', 'main'));
  await git('commit', '-q', '--amend', '-m', 'Better');
  await ensure();
  assert.equal(await headOf(), await git('rev-parse', 'main'));
});

test('another folder never rewrites a copy, whether it is another repository or a clone, but may be named as its new place', async () => {
  await commit('two');
  await ensure();
  const head = await headOf();
  const other = join(root, 'other');
  await gitIn(root, 'clone', '-q', source, other);
  await ensure({ source: other });
  await ensure();
  await gitIn(other, 'commit', '-q', '--amend', '-m', 'Other');
  const unrelated = join(root, 'unrelated');
  await mkdir(unrelated);
  await gitIn(unrelated, 'init', '-q', '-b', 'main');
  await commit('x', unrelated);
  for (const path of [other, unrelated])
    await assert.rejects(ensure({ source: path }), { code: 'repository-unrelated', hint: /--name OWNER\/NAME/ });
  assert.equal(await headOf(), head);
  await forge.updateRepository(name, { from: other });
  assert.equal(await headOf(), await gitIn(other, 'rev-parse', 'main'));
  await ensure({ source: other });
});

test('an update brings all branches of the source, and leaves those of changes alone', async () => {
  await git('branch', 'late');
  await ensure();
  const { number } = await openChange();
  await git('checkout', '-q', 'late');
  await commit('two');
  await git('branch', 'new');
  assert.deepEqual(await forge.updateRepository(name), [
    { branch: 'late', result: 'updated' },
    { branch: 'main', result: 'unchanged' },
    { branch: 'new', result: 'new' },
  ]);
  assert.deepEqual(
    (await forge.listBranches(name)).filter((branch) => !branch.startsWith('jig/')),
    ['late', 'main', 'new'],
  );
  assert.equal((await forge.findChange(name, { number }))?.state, 'open');
});

test('an update removes branches that are gone in the source, unless something was merged into them or needs them', async () => {
  for (const branch of ['gone', 'merged', 'used']) await git('branch', branch);
  await ensure();
  const { cloneUrl } = await forge.getRepository(name);
  const merged = await gitIn(cloneUrl, 'commit-tree', 'main^{tree}', '-p', 'main', '-m', 'x');
  await gitIn(cloneUrl, 'update-ref', 'refs/heads/merged', merged);
  await openChange('used');
  await git('branch', '-q', '-D', 'gone', 'merged', 'used');
  await git('branch', '-q', '-m', 'main', 'trunk');
  await git('branch', 'gone/deeper');
  await assert.rejects(ensure({ branch: 'gone/deeper' }), {
    code: 'source-unusable',
    hint: /jig repo update local\/api/,
  });
  assert.deepEqual(await forge.updateRepository(name), [
    { branch: 'gone', result: 'removed' },
    { branch: 'gone/deeper', result: 'new' },
    { branch: 'trunk', result: 'new' },
  ]);
  assert.deepEqual(
    (await forge.listBranches(name)).filter((branch) => !branch.startsWith('jig/')),
    ['gone/deeper', 'main', 'merged', 'trunk', 'used'],
  );
  await ensure({ branch: 'gone/deeper' });
});

test('a repository is removed with all its changes, with open ones only if that is said, and can be added again', async () => {
  await ensure();
  const { number } = await openChange();
  await assert.rejects(forge.removeRepository(name), { code: 'forge-refused', message: /1 open change/ });
  await forge.closeChange(name, number, 'done');
  await forge.removeRepository(name);
  assert.deepEqual(await forge.listRepositories(), []);
  await assert.rejects(forge.removeRepository(name), { code: 'forge-not-found' });
  assert.deepEqual(await readdir(join(root, 'forge', 'repositories', 'local')), []);
  assert.deepEqual(await readdir(join(root, 'forge', 'removed')), []);
  await ensure();
  assert.deepEqual(await forge.listChanges(name), []);
  await openChange();
  await forge.removeRepository(name, { force: true });
});

test('an import that fails adds nothing', async () => {
  await assert.rejects(ensure({ branch: 'nope' }), { code: 'branch-not-found' });
  const broken = join(root, 'broken');
  await gitIn(root, 'clone', '-q', '--no-local', source, broken);
  await rm(join(broken, '.git', 'objects', 'pack'), { recursive: true });
  await assert.rejects(ensure({ source: broken }), { code: 'source-unusable' });
  assert.deepEqual(await forge.listRepositories(), []);
  assert.deepEqual(await readdir(join(root, 'forge', 'repositories', 'local')), []);
  await ensure();
});

test('a shallow source is imported as far as it goes, and the rest follows when the source has it', async () => {
  await commit('two');
  await commit('three');
  const shallow = join(root, 'shallow');
  await gitIn(root, 'clone', '-q', '--depth', '1', `file://${source}`, shallow);
  const { cloneUrl } = await ensure({ source: shallow });
  assert.equal(await gitIn(cloneUrl, 'rev-list', '--count', 'main'), '1');
  await commit('four', shallow);
  await ensure({ source: shallow });
  assert.equal(await gitIn(cloneUrl, 'rev-list', '--count', 'main'), '2');
  await gitIn(shallow, 'fetch', '-q', '--unshallow');
  await ensure({ source: shallow });
  assert.equal(await gitIn(cloneUrl, 'rev-list', '--count', 'main'), '4');
});

test('many imports of one folder at once make one repository, also while its history and tags change', async () => {
  await Promise.all(Array.from({ length: 8 }, () => ensure()));
  assert.deepEqual(await forge.listRepositories(), [name]);
  await git('commit', '-q', '--amend', '-m', 'Better');
  await git('tag', 'v1');
  await Promise.all(Array.from({ length: 8 }, () => ensure()));
  assert.equal(await headOf(), await git('rev-parse', 'main'));
  assert.equal(await gitIn((await forge.getRepository(name)).cloneUrl, 'tag'), 'v1');
  assert.equal(await gitIn((await forge.getRepository(name)).cloneUrl, 'for-each-ref', 'refs/jig/incoming'), '');
});
