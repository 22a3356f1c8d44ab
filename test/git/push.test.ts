import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { access, createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
let commits: string[];
beforeAll(async () => {
  fixture = await createFixture();
  const { trusted, repository, git, origin } = fixture;
  // A line of commits that the mirror knows; a run's commits would be there through the quarantine.
  for (const name of ['one', 'two', 'three']) await git(['commit', '-q', '--allow-empty', '-m', name]);
  await git(['push', '-q', origin, 'HEAD:refs/heads/line']);
  await trusted.ensureMirror(repository, access);
  commits = (await git(['rev-list', '--reverse', '-3', 'HEAD'])).split('\n');
});
afterAll(() => fixture.close());

const push = (commit: string | undefined, branch: string, expected?: string) =>
  fixture.trusted.pushBranch({ repository: fixture.repository, access, commit: commit ?? '', branch, expected });
const choose = (commit: string, branch: string) =>
  fixture.trusted.chooseBranch({ repository: fixture.repository, access, commit, branch });
/** A commit as the quarantine makes it: in the mirror, and nowhere on the forge. */
const ownCommit = async (parent: string, message: string) => {
  const [mirror = ''] = await readdir(join(fixture.cacheDir, 'mirrors'));
  return fixture.gitIn(join(fixture.cacheDir, 'mirrors', mirror))([
    'commit-tree',
    `${parent}^{tree}`,
    '-p',
    parent,
    '-m',
    message,
  ]);
};
const headOf = (branch: string) => fixture.trusted.findRemoteHead(fixture.repository, access, branch);

test('a branch is pushed once, and a push that is repeated finds it there', async () => {
  assert.equal(await headOf('jig/a'), undefined);
  await push(commits[0], 'jig/a');
  await push(commits[0], 'jig/a');
  await push(commits[1], 'jig/a', commits[0]);
  await push(commits[1], 'jig/a', commits[0]);
  assert.equal(await headOf('jig/a'), commits[1]);
});

test('a branch that exists with other commits is never written', async () => {
  await push(commits[1], 'jig/theirs');
  const foreign = { name: 'GitRefusal', code: 'foreign-commits' };
  await assert.rejects(push(commits[2], 'jig/theirs'), foreign);
  await assert.rejects(push(commits[2], 'jig/theirs', commits[0]), foreign);
  await assert.rejects(push(commits[0], 'jig/theirs', commits[1]), foreign);
  await assert.rejects(push(commits[2], 'jig/gone', commits[1]), foreign);
  assert.equal(await headOf('jig/theirs'), commits[1]);
  assert.equal(await headOf('jig/gone'), undefined);
});

test('if a new branch is pushed many times at once, one push wins and the others are refused', async () => {
  const rivals = await Promise.all([1, 2, 3].map((number) => ownCommit(fixture.base, `rival ${number}`)));
  const settled = await Promise.allSettled([...rivals, ...rivals].map((commit) => push(commit, 'jig/race')));
  const winner = await headOf('jig/race');
  for (const [index, result] of settled.entries()) {
    if (result.status === 'fulfilled') assert.equal(rivals[index % 3], winner);
    else assert.equal(result.reason.code, 'foreign-commits', String(result.reason));
  }
});

test('a push that comes between the look and our push is not overwritten', async () => {
  const { origin, git, gitIn } = fixture;
  await push(commits[0], 'jig/between');
  await git(['commit', '-q', '--allow-empty', '-m', 'theirs']);
  const theirs = await git(['rev-parse', 'HEAD']);
  // The forge's own hook stands for the other person: it moves the branch after the look, before the push is written.
  await git(['push', '-q', origin, `${theirs}:refs/heads/side`]);
  await mkdir(join(origin, 'hooks'), { recursive: true });
  const hook = join(origin, 'hooks', 'pre-receive');
  await writeFile(hook, `#!/bin/sh\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/jig/between ${theirs}\n`);
  await chmod(hook, 0o755);
  await assert.rejects(push(commits[1], 'jig/between', commits[0]), { code: 'foreign-commits' });
  assert.equal(await headOf('jig/between'), theirs);
  await writeFile(hook, '#!/bin/sh\necho not on my watch >&2\nexit 1\n');
  await assert.rejects(push(commits[0], 'jig/refused'), { code: 'push-refused', message: /not on my watch/ });
  await gitIn(origin)(['config', 'core.hooksPath', '/dev/null']);
});

test('names that can’t be branches are refused before the forge is asked', async () => {
  for (const branch of ['', '-x', 'a..b', 'a b', 'x.lock', 'a\n', 'refs/../x', '@{-1}'])
    await assert.rejects(push(commits[0], branch), { code: 'push-refused' }, branch);
});

test('if a branch name is taken, the first free suffix is added', async () => {
  const { origin, git } = fixture;
  const mine = await ownCommit(fixture.base, 'mine');
  assert.equal(await choose(mine, 'jig/taken'), 'jig/taken');
  // Others came after the mirror was fetched, so that it doesn't know what they pushed.
  const theirs = await git(['commit-tree', `${fixture.base}^{tree}`, '-p', fixture.base, '-m', 'theirs']);
  await git(['push', '-q', origin, `${theirs}:refs/heads/jig/taken`, `${fixture.base}:refs/heads/jig/taken-2`]);
  assert.equal(await choose(mine, 'jig/taken'), 'jig/taken-3');
  await push(mine, 'jig/taken-3');
  assert.equal(await choose(mine, 'jig/taken'), 'jig/taken-3');
});

test('a first push that comes late finds its branch, even if it has moved on, and makes no other branch', async () => {
  const { origin, git } = fixture;
  const first = await ownCommit(fixture.base, 'round 1');
  const second = await ownCommit(first, 'round 2');
  await push(first, 'jig/late');
  await push(second, 'jig/late', first);
  assert.equal(await choose(first, 'jig/late'), 'jig/late');
  await push(first, 'jig/late');
  assert.equal(await headOf('jig/late'), second);

  // A person went on from it, where the mirror doesn't see it.
  await git(['fetch', '-q', origin, 'refs/heads/jig/late']);
  const theirs = await git(['commit-tree', `${second}^{tree}`, '-p', second, '-m', 'by hand']);
  await git(['push', '-q', origin, `${theirs}:refs/heads/jig/late`]);
  assert.equal(await choose(first, 'jig/late'), 'jig/late');
  for (const [commit, expected] of [
    [first, undefined],
    [second, first],
  ] as const)
    await push(commit, 'jig/late', expected);
  await assert.rejects(push(await ownCommit(second, 'round 3'), 'jig/late', second), { code: 'foreign-commits' });
  assert.deepEqual([await headOf('jig/late'), await headOf('jig/late-2')], [theirs, undefined]);
});

test('a push that would move a branch back is refused, though the branch contains the commit', async () => {
  await push(commits[1], 'jig/rewound');
  await assert.rejects(push(commits[0], 'jig/rewound', commits[1]), { code: 'foreign-commits' });
});

test('freshness says whether the base has moved, and whether the branch is still as it was pushed', async () => {
  const { trusted, repository, base, git, origin } = fixture;
  await push(commits[0], 'jig/fresh');
  const wanted = {
    repository,
    access,
    base: { branch: 'trunk', commit: base },
    head: { branch: 'jig/fresh', commit: commits[0] ?? '' },
  };
  assert.deepEqual(await trusted.checkFreshness(wanted), { baseMoved: false, branchForeign: false });
  await git(['push', '-q', origin, `${commits[1]}:refs/heads/jig/fresh`, `${commits[0]}:refs/heads/trunk`]);
  assert.deepEqual(await trusted.checkFreshness(wanted), { baseMoved: true, branchForeign: true });
  await git(['push', '-q', origin, ':jig/fresh']);
  assert.deepEqual(await trusted.checkFreshness({ ...wanted, base: { branch: 'trunk', commit: commits[0] ?? '' } }), {
    baseMoved: false,
    branchForeign: true,
  });
});
