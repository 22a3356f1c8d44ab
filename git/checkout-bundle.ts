/** Makes bundles of the mirror's commits for checkouts in sandboxes, in a cache by what is in them. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { withLock } from '../base/lock.ts';
import { gitOutput, type RunGit } from './command.ts';
import type { CheckoutHistory, Commit, GitRepository } from './contract.ts';
import { checkCommits, mirrorPath, withMirror, type Mirrors } from './mirror.ts';

/** A bundle that wasn't used for this long is removed when the next one of its repository is made. */
const unusedMs = 24 * 3600_000;

/** Makes the bundle's file if it is missing. The commits get refs in the mirror, so they stay there. */
export async function createCheckoutBundle(
  mirrors: Mirrors,
  repository: GitRepository,
  commit: Commit,
  { base, history = 'base' }: { base?: Commit; history?: CheckoutHistory } = {},
): Promise<{ path: string }> {
  const { git, cacheDir } = mirrors;
  const gitDir = mirrorPath(mirrors, repository);
  const commits = [...new Set([commit, ...(base === undefined ? [] : [base])])];
  await checkCommits(mirrors, repository, commits);
  const refs = await listRefs(git, gitDir, commit, history);
  const folder = join(cacheDir, 'bundles', basename(gitDir, '.git'));
  const hash = createHash('sha256')
    .update([...commits, ...refs].join('\n'))
    .digest('hex')
    .slice(0, 16);
  const path = join(folder, `${commit}-${hash}.bundle`);
  return withLock(`${path}.lock`, async () => {
    const now = new Date();
    if (
      await utimes(path, now, now).then(
        () => true,
        () => false,
      )
    )
      return { path };
    await removeUnused(folder);
    const kept = commits.map((each) => `refs/jig/bases/${each}`);
    const temporary = join(folder, `${randomUUID()}.partial`);
    await mkdir(folder, { recursive: true });
    const updates = commits.map((each, index) => `update ${kept[index]} ${each}\n`).join('');
    await withMirror(mirrors, repository, () => gitOutput(git, ['update-ref', '--stdin'], { gitDir, input: updates }));
    try {
      await gitOutput(git, ['bundle', 'create', '--quiet', temporary, '--stdin'], {
        gitDir,
        input: [...kept, ...refs.map((line) => line.replace(/^\S+ /, ''))].join('\n'),
        timeoutMs: 15 * 60_000,
      });
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    return { path };
  });
}

/** The tags of the commit's history, or all tags and branches: lines of a commit or tag and a name. */
async function listRefs(git: RunGit, gitDir: string, commit: Commit, history: CheckoutHistory): Promise<string[]> {
  const which = history === 'all' ? ['refs/tags/', 'refs/heads/'] : [`--merged=${commit}`, 'refs/tags/'];
  const format =
    '--format=%(if:equals=commit)%(objecttype)%(then)%(objectname) %(refname)%(else)%(if:equals=commit)%(*objecttype)%(then)%(objectname) %(refname)%(end)%(end)';
  const listed = await gitOutput(git, ['for-each-ref', format, ...which], { gitDir });
  return listed.toString().split('\n').filter(Boolean);
}

async function removeUnused(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((entry) => /\.(bundle|partial)$/.test(entry))) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > unusedMs) await rm(join(folder, name), { force: true });
  }
}
