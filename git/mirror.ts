/**
 * Bare mirrors of repositories: cloned once, then fetched. Garbage is never collected, so a commit that was seen stays.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { excerpt, gitOutput, protocolOf, type GitResult, type RunGit } from './command.ts';
import { GitRefusal, type BranchHead, type Commit, type GitAccess, type GitRepository } from './contract.ts';
import { withLock } from '../base/lock.ts';

/** The first clone of a large repository takes long. Beyond this it fails and may be retried. */
const fetchTimeoutMs = 20 * 60_000;

export interface Mirrors {
  git: RunGit;
  cacheDir: string;
}

/** The mirror's folder. Its name is made from the repository's, readable and unique. */
export function mirrorPath({ cacheDir }: Mirrors, { forge, name }: GitRepository): string {
  const hash = createHash('sha256').update(`${forge}\n${name}`).digest('hex').slice(0, 12);
  return join(cacheDir, 'mirrors', `${name.replaceAll(/[^A-Za-z0-9._-]+/g, '__').slice(-80)}-${hash}.git`);
}

/** Runs `work` as the only writer of the mirror's refs. */
export async function withMirror<T>(
  mirrors: Mirrors,
  repository: GitRepository,
  work: (gitDir: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const gitDir = mirrorPath(mirrors, repository);
  return withLock(
    `${gitDir}.lock`,
    async ({ broken }) => {
      if (broken) await removeLeftLocks(gitDir);
      return work(gitDir);
    },
    signal,
  );
}

export async function ensureMirror(
  mirrors: Mirrors,
  repository: GitRepository,
  access: GitAccess,
  signal?: AbortSignal,
): Promise<void> {
  const { git } = mirrors;
  if (repository.archived) throw new GitRefusal('repository-archived', `${repository.name} is archived.`);
  const protocol = protocolOf(repository.cloneUrl);
  await withMirror(
    mirrors,
    repository,
    async (gitDir) => {
      const remote = { access, protocol, signal };
      const refs = await listRemote(git, repository, remote, ['--symref']);
      if (refs.heads.size === 0) throw new GitRefusal('repository-empty', `${repository.name} has no commits.`);
      await mkdir(gitDir, { recursive: true });
      const isNew = !(await stat(join(gitDir, 'HEAD')).catch(() => undefined));
      if (isNew) await gitOutput(git, ['init', '--quiet', '--bare', '--template=', '--', gitDir]);
      // A first clone keeps the received pack, as git's own does. If it were unpacked, a few large files would be
      // compressed again for each checkout.
      const fetch = [
        'fetch',
        '--quiet',
        ...(isNew ? ['--keep'] : []),
        '--prune',
        '--no-tags',
        '--no-write-fetch-head',
        '--update-shallow',
        ...((await stat(join(gitDir, 'shallow')).catch(() => undefined)) ? ['--unshallow'] : []),
        '--',
        repository.cloneUrl,
        '+refs/heads/*:refs/heads/*',
        '+refs/tags/*:refs/tags/*',
      ];
      const fetched = await git(fetch, { gitDir, ...remote, timeoutMs: fetchTimeoutMs });
      if (fetched.exitCode !== 0) throw remoteRefusal(repository, fetched);
      await gitOutput(git, ['symbolic-ref', 'HEAD', refs.defaultBranch ?? 'refs/jig/no-default-branch'], { gitDir });
    },
    signal,
  );
}

export async function resolveBase(mirrors: Mirrors, repository: GitRepository, branch?: string): Promise<BranchHead> {
  const gitDir = mirrorPath(mirrors, repository);
  const name =
    branch ??
    (await gitOutput(mirrors.git, ['symbolic-ref', 'HEAD'], { gitDir })).toString().trim().replace('refs/heads/', '');
  const found = await mirrors.git(
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${name}^{commit}`],
    { gitDir },
  );
  if (found.exitCode !== 0) {
    throw new GitRefusal(
      'branch-not-found',
      branch === undefined
        ? `${repository.name} has no default branch; name a branch with --branch.`
        : `${repository.name} has no branch ${JSON.stringify(branch)}.`,
    );
  }
  return { branch: name, commit: found.stdout.toString().trim() };
}

/**
 * Checks that the mirror has these commits. @throws GitRefusal `commit-missing` if the mirror, or a commit in it,
 * doesn't exist (any more)
 */
export async function checkCommits(mirrors: Mirrors, repository: GitRepository, commits: Commit[]): Promise<void> {
  const gitDir = mirrorPath(mirrors, repository);
  const exists = (await stat(join(gitDir, 'HEAD')).catch(() => undefined)) !== undefined;
  for (const commit of commits) {
    const found = exists
      ? await mirrors.git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`], { gitDir })
      : undefined;
    if (found?.exitCode !== 0)
      throw new GitRefusal('commit-missing', `The mirror of ${repository.name} does not have the commit ${commit}.`);
  }
}

/** The present branches of the forge's repository. @throws GitRefusal */
export async function listRemote(
  git: RunGit,
  repository: GitRepository,
  remote: { access: GitAccess; signal?: AbortSignal | undefined },
  options: string[] = [],
  patterns: string[] = ['HEAD', 'refs/heads/*'],
): Promise<{ heads: Map<string, Commit>; defaultBranch: string | undefined }> {
  const protocol = protocolOf(repository.cloneUrl);
  const listed = await git(['ls-remote', ...options, '--', repository.cloneUrl, ...patterns], { ...remote, protocol });
  if (listed.exitCode !== 0) throw remoteRefusal(repository, listed);
  const lines = listed.stdout
    .toString()
    .split('\n')
    .map((line) => line.split('\t'));
  const heads = new Map<string, Commit>();
  let defaultBranch: string | undefined;
  for (const [value, ref] of lines) {
    if (value?.startsWith('ref: ') && ref === 'HEAD') defaultBranch = value.slice(5);
    else if (value && ref?.startsWith('refs/heads/')) heads.set(ref.slice(11), value);
  }
  return { heads, defaultBranch };
}

/** The refusal for a failed remote. Git gives the reason only in words, so an unknown reason counts as temporary. */
export function remoteRefusal(repository: GitRepository, result: GitResult): GitRefusal {
  const said = excerpt(result.stderr);
  if (/not found|does not exist|does not appear to be a git repository/i.test(said)) {
    return new GitRefusal('repository-not-found', `${repository.name} was not found: ${said}`);
  }
  if (
    /authentication failed|could not read (username|password)|permission denied|error: 40[13]|access denied/i.test(said)
  ) {
    return new GitRefusal('repository-unauthorized', `The credentials for ${repository.name} were refused: ${said}`);
  }
  return new GitRefusal(
    'repository-unreachable',
    `${repository.name} could not be reached: ${result.timedOut ? 'it took too long' : said}`,
    { retryable: true },
  );
}

/**
 * Removes lock files. A killed git leaves `*.lock` files next to the refs that it was writing, and every later writer
 * would refuse.
 */
async function removeLeftLocks(gitDir: string): Promise<void> {
  const entries = await readdir(gitDir, { recursive: true, withFileTypes: true }).catch(() => []);
  const left = entries.filter(
    (entry) => entry.isFile() && entry.name.endsWith('.lock') && !entry.parentPath.includes('/objects'),
  );
  await Promise.all(left.map((entry) => rm(join(entry.parentPath, entry.name), { force: true })));
}
