import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chooseBranch } from '../../git/push.ts';
import { access, createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
let commits: string[];
before(async () => {
  fixture = await createFixture();
  const { trusted, repository, git, origin } = fixture;
  // A line of commits that the mirror knows; a run's commits would be there through the quarantine.
  for (const name of ['one', 'two', 'three']) await git(['commit', '-q', '--allow-empty', '-m', name]);
  await git(['push', '-q', origin, 'HEAD:refs/heads/line']);
  await trusted.ensureMirror(repository, access);
  commits = (await git(['rev-list', '--reverse', '-3', 'HEAD'])).split('\n');
});
after(() => fixture.close());

const push = (commit: string | undefined, branch: string, expected?: string) =>
  fixture.trusted.pushBranch({ repository: fixture.repository, access, commit: commit ?? '', branch, expected });
const headOf = (branch: string) => fixture.trusted.findRemoteHead(fixture.repository, access, branch);

test('a branch is pushed once, and a push that is repeated finds it there', async () => {
  assert.equal(await headOf('jig/a'), undefined);
  await push(commits[0], 'jig/a');
  await push(commits[0], 'jig/a');
  await push(commits[1], 'jig/a', commits[0]);
  await push(commits[1], 'jig/a', commits[0]);
  assert.equal(await headOf('jig/a'), commits[1]);
});

test('faults 31: a branch that exists with other commits is never written', async () => {
  await push(commits[1], 'jig/theirs');
  const foreign = { name: 'GitRefusal', kind: 'foreign-commits' };
  await assert.rejects(push(commits[2], 'jig/theirs'), foreign);
  await assert.rejects(push(commits[2], 'jig/theirs', commits[0]), foreign);
  await assert.rejects(push(commits[0], 'jig/theirs', commits[1]), foreign);
  await assert.rejects(push(commits[2], 'jig/gone', commits[1]), foreign);
  assert.equal(await headOf('jig/theirs'), commits[1]);
  assert.equal(await headOf('jig/gone'), undefined);
});

test('faults 31: of many pushes of one new branch at once one wins, and the others are refused', async () => {
  const settled = await Promise.allSettled([...commits, ...commits].map((commit) => push(commit, 'jig/race')));
  const winner = await headOf('jig/race');
  for (const [index, result] of settled.entries()) {
    if (result.status === 'fulfilled') assert.equal(commits[index % 3], winner);
    else assert.equal(result.reason.kind, 'foreign-commits', String(result.reason));
  }
});

test('faults 31: somebody who pushes between the look and the push is not overwritten', async () => {
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
  await assert.rejects(push(commits[1], 'jig/between', commits[0]), { kind: 'foreign-commits' });
  assert.equal(await headOf('jig/between'), theirs);
  await writeFile(hook, '#!/bin/sh\necho not on my watch >&2\nexit 1\n');
  await assert.rejects(push(commits[0], 'jig/refused'), { kind: 'push-refused', message: /not on my watch/ });
  await gitIn(origin)(['config', 'core.hooksPath', '/dev/null']);
});

test('names that are no branches are refused before anything is asked', async () => {
  for (const branch of ['', '-x', 'a..b', 'a b', 'x.lock', 'a\n', 'refs/../x', '@{-1}']) await assert.rejects(push(commits[0], branch), { kind: 'push-refused' }, branch);
});

test('faults 31: a branch that is taken gets the first suffix that is free or ours', async () => {
  const taken = new Set(['jig/x', 'jig/x-2']);
  assert.equal(await chooseBranch('jig/x', async (branch) => !taken.has(branch)), 'jig/x-3');
  assert.equal(await chooseBranch('jig/y', async (branch) => !taken.has(branch)), 'jig/y');
  await assert.rejects(chooseBranch('jig/z', async () => false), { kind: 'foreign-commits' });
});

test('freshness tells whether the base moved on, and whether the branch is still as it was pushed', async () => {
  const { trusted, repository, base, git, origin } = fixture;
  await push(commits[0], 'jig/fresh');
  const wanted = { repository, access, base: { branch: 'trunk', commit: base }, head: { branch: 'jig/fresh', commit: commits[0] ?? '' } };
  assert.deepEqual(await trusted.checkFreshness(wanted), { baseMoved: false, branchForeign: false });
  await git(['push', '-q', origin, `${commits[1]}:refs/heads/jig/fresh`, `${commits[0]}:refs/heads/trunk`]);
  assert.deepEqual(await trusted.checkFreshness(wanted), { baseMoved: true, branchForeign: true });
  await git(['push', '-q', origin, ':jig/fresh']);
  assert.deepEqual(await trusted.checkFreshness({ ...wanted, base: { branch: 'trunk', commit: commits[0] ?? '' } }), { baseMoved: false, branchForeign: true });
});
