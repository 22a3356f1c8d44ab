/** Git plumbing for the local forge's bare repositories, which have no hooks and no user's configuration. */
import { execa } from 'execa';
import { ForgeFailure } from '../errors.ts';

export type BareGit = (
  gitDir: string,
  args: string[],
  input?: string,
) => Promise<{ exitCode: number; stdout: string; bytes: Uint8Array; stderr: string }>;

export function createBareGit(gitPath = 'git'): BareGit {
  return async (gitDir, args, input) => {
    const result = await execa(
      gitPath,
      ['-c', 'core.hooksPath=/dev/null', '-c', 'gc.auto=0', `--git-dir=${gitDir}`, ...args],
      {
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: '/nonexistent',
          LC_ALL: 'C',
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_CONFIG_GLOBAL: '/dev/null',
          GIT_ATTR_NOSYSTEM: '1',
          GIT_TERMINAL_PROMPT: '0',
          GIT_ALLOW_PROTOCOL: 'file',
          GIT_AUTHOR_NAME: 'Local forge',
          GIT_AUTHOR_EMAIL: 'forge@localhost',
          GIT_COMMITTER_NAME: 'Local forge',
          GIT_COMMITTER_EMAIL: 'forge@localhost',
        },
        extendEnv: false,
        reject: false,
        stripFinalNewline: false,
        encoding: 'buffer',
        maxBuffer: 256_000_000,
        ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
      },
    );
    if (result.exitCode === undefined)
      throw new Error(`git could not be run: ${result.shortMessage}`, { cause: result.cause });
    const { exitCode, stdout: bytes, stderr } = result;
    return { exitCode, stdout: Buffer.from(bytes).toString(), bytes, stderr: Buffer.from(stderr).toString() };
  };
}

/** The head of a branch; undefined if there is no such branch. */
export async function findCommit(git: BareGit, gitDir: string, branch: string): Promise<string | undefined> {
  const found = await git(gitDir, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `refs/heads/${branch}^{commit}`,
  ]);
  return found.exitCode === 0 ? found.stdout.trim() : undefined;
}

/** The commit of every branch, by the branch's name. */
export async function listHeads(git: BareGit, gitDir: string): Promise<Map<string, string>> {
  const { stdout } = await git(gitDir, ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads/']);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => [line.slice(line.indexOf(' ') + 1).replace('refs/heads/', ''), line.split(' ')[0] ?? '']),
  );
}

export async function isAncestor(git: BareGit, gitDir: string, ancestor: string, commit: string): Promise<boolean> {
  return (await git(gitDir, ['merge-base', '--is-ancestor', ancestor, commit])).exitCode === 0;
}

/** The patch of what `head` adds since it left `base`, as bytes that `git apply` takes, binary files included. */
export async function readPatch(git: BareGit, gitDir: string, base: string, head: string): Promise<Uint8Array> {
  return diff(git, gitDir, ['--binary', '--full-index'], base, head);
}

/** The same for people. */
export async function readDiff(git: BareGit, gitDir: string, base: string, head: string): Promise<string> {
  return Buffer.from(await diff(git, gitDir, [], base, head)).toString();
}

/**
 * What `head` adds since it left `base`; all that differs if they have no common history, because that of the base was
 * rewritten.
 */
async function diff(git: BareGit, gitDir: string, form: string[], base: string, head: string): Promise<Uint8Array> {
  const isRelated = (await git(gitDir, ['merge-base', base, head])).exitCode === 0;
  const patch = await git(gitDir, [
    'diff',
    ...form,
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    '--find-renames',
    '--end-of-options',
    `${base}${isRelated ? '...' : '..'}${head}`,
  ]);
  if (patch.exitCode !== 0) throw new Error(`git diff failed: ${patch.stderr}`);
  return patch.bytes;
}

/**
 * Merges `head` into the branch `base` as a fast-forward or a merge commit, and returns the branch's new head.
 * @throws ForgeFailure `forge-conflict` if both changed the same lines, or if the base moved at this very moment.
 */
export async function mergeBranch(
  git: BareGit,
  gitDir: string,
  { base, head, message }: { base: string; head: string; message: string },
): Promise<string> {
  const onto = await findCommit(git, gitDir, base);
  if (!onto) throw new ForgeFailure('forge-conflict', `The base branch ${base} does not exist any more.`);
  if (await isAncestor(git, gitDir, head, onto)) return onto;
  if ((await git(gitDir, ['merge-base', onto, head])).exitCode !== 0)
    throw new ForgeFailure(
      'forge-conflict',
      `The history of ${base} was rewritten, and has nothing in common with the change any more.`,
    );
  const merged = (await isAncestor(git, gitDir, onto, head))
    ? head
    : await mergeCommit(git, gitDir, onto, head, message);
  const moved = await git(gitDir, ['update-ref', `refs/heads/${base}`, merged, onto]);
  if (moved.exitCode !== 0)
    throw new ForgeFailure('forge-conflict', `${base} moved while the change was merged into it.`, { retryable: true });
  return merged;
}

async function mergeCommit(git: BareGit, gitDir: string, onto: string, head: string, message: string): Promise<string> {
  const tree = await git(gitDir, ['merge-tree', '--write-tree', '--name-only', onto, head]);
  if (tree.exitCode === 1)
    throw new ForgeFailure(
      'forge-conflict',
      `The change conflicts with its base: ${tree.stdout.split('\n\n')[0]?.split('\n').slice(1).join(', ')}`,
    );
  if (tree.exitCode !== 0) throw new Error(`git merge-tree failed: ${tree.stderr}`);
  const commit = await git(gitDir, ['commit-tree', tree.stdout.trim(), '-p', onto, '-p', head, '-F', '-'], message);
  if (commit.exitCode !== 0) throw new Error(`git commit-tree failed: ${commit.stderr}`);
  return commit.stdout.trim();
}
