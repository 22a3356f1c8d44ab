/** Pushes branches. It looks first, and never forces. */
import { excerpt, protocolOf } from './command.ts';
import { GitRefusal, type BranchHead, type Commit, type GitAccess, type GitRepository } from './contract.ts';
import { checkCommits, ensureMirror, listRemote, mirrorPath, remoteRefusal, type Mirrors } from './mirror.ts';

export interface Push {
  repository: GitRepository;
  access: GitAccess;
  commit: Commit;
  branch: string;
  expected: Commit | undefined;
}
type PushTarget = Pick<Push, 'repository' | 'access' | 'commit'>;

const maxSuffix = 50;

export async function findRemoteHead(
  mirrors: Mirrors,
  repository: GitRepository,
  access: GitAccess,
  branch: string,
): Promise<Commit | undefined> {
  const { heads } = await listRemote(mirrors.git, repository, { access }, [], [`refs/heads/${branch}`]);
  return heads.get(branch);
}

export async function pushBranch(
  mirrors: Mirrors,
  { repository, access, commit, branch, expected }: Push,
  signal?: AbortSignal,
): Promise<void> {
  const { git } = mirrors;
  const gitDir = mirrorPath(mirrors, repository);
  const ref = `refs/heads/${branch}`;
  if (branch.startsWith('-') || (await git(['check-ref-format', ref])).exitCode !== 0)
    throw new GitRefusal('push-refused', `${JSON.stringify(branch)} can't be the name of a branch.`);
  const found = await findRemoteHead(mirrors, repository, access, branch);
  if (found === commit) return;
  await checkCommits(mirrors, repository, [commit]);
  // This is a late push, after another went on from its commit. So the commit was pushed already, by whatever process.
  if (
    found !== undefined &&
    found !== expected &&
    (await holdsCommit(mirrors, { repository, access, commit }, found, signal))
  )
    return;
  const foreign = () =>
    new GitRefusal(
      'foreign-commits',
      `The branch ${branch} of ${repository.name} has commits that this run did not make.`,
    );
  if (found !== expected) throw foreign();
  if (
    expected &&
    (await git(['merge-base', '--is-ancestor', '--end-of-options', expected, commit], { gitDir })).exitCode !== 0
  )
    throw foreign();
  // With the lease, the forge compares and writes in one step. The ancestor check above excludes a rewind.
  const args = [
    'push',
    '--quiet',
    '--porcelain',
    '--no-verify',
    `--force-with-lease=${ref}:${expected ?? ''}`,
    '--',
    repository.cloneUrl,
    `${commit}:${ref}`,
  ];
  const pushed = await git(args, {
    gitDir,
    access,
    protocol: protocolOf(repository.cloneUrl),
    signal,
    timeoutMs: 600_000,
  });
  if (pushed.exitCode === 0) return;
  if ((await findRemoteHead(mirrors, repository, access, branch)) === commit) return;
  const said = `${pushed.stdout.toString()}\n${pushed.stderr}`;
  if (
    /stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref|reference already exists/i.test(said)
  )
    throw foreign();
  if (/\[remote rejected\]|pre-receive hook declined|protected branch/i.test(said))
    throw new GitRefusal('push-refused', `The forge refused the push: ${excerpt(said)}`);
  throw remoteRefusal(repository, pushed);
}

/**
 * The first of `wanted`, `wanted-2`, `wanted-3` … that is free or already holds the commit. @throws GitRefusal
 * `foreign-commits`
 */
export async function chooseBranch(
  mirrors: Mirrors,
  { branch: wanted, ...place }: PushTarget & { branch: string },
  signal?: AbortSignal,
): Promise<string> {
  for (let suffix = 1; suffix <= maxSuffix; suffix++) {
    const branch = suffix === 1 ? wanted : `${wanted}-${suffix}`;
    const head = await findRemoteHead(mirrors, place.repository, place.access, branch);
    if (head === undefined || (await holdsCommit(mirrors, place, head, signal))) return branch;
  }
  throw new GitRefusal('foreign-commits', `${wanted} and its first ${maxSuffix} suffixes are all taken.`);
}

/**
 * Whether a head on the forge has the commit in its history. It fetches what was pushed since the mirror was updated.
 */
async function holdsCommit(
  mirrors: Mirrors,
  { repository, access, commit }: PushTarget,
  head: Commit,
  signal?: AbortSignal,
): Promise<boolean> {
  const gitDir = mirrorPath(mirrors, repository);
  if (head === commit) return true;
  if ((await mirrors.git(['cat-file', '-e', head], { gitDir })).exitCode !== 0)
    await ensureMirror(mirrors, repository, access, signal);
  return (
    (await mirrors.git(['merge-base', '--is-ancestor', '--end-of-options', commit, head], { gitDir })).exitCode === 0
  );
}

export async function checkFreshness(
  mirrors: Mirrors,
  {
    repository,
    access,
    base,
    head,
  }: { repository: GitRepository; access: GitAccess; base: BranchHead; head?: BranchHead },
): Promise<{ baseMoved: boolean; branchForeign: boolean }> {
  const wanted = [base, ...(head ? [head] : [])].map(({ branch }) => `refs/heads/${branch}`);
  const { heads } = await listRemote(mirrors.git, repository, { access }, [], wanted);
  return {
    baseMoved: heads.get(base.branch) !== base.commit,
    branchForeign: head !== undefined && heads.get(head.branch) !== head.commit,
  };
}
