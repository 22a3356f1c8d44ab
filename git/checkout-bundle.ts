/** Makes bundles of the mirror's commits for checkouts in sandboxes, in a cache by commit. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gitOutput } from './command.ts';
import type { Commit, GitRepository } from './contract.ts';
import { withLock } from '../base/lock.ts';
import { checkCommits, mirrorPath, withMirror, type Mirrors } from './mirror.ts';

/** A bundle that wasn't used for this long is removed when the next one of its repository is made. */
const unusedMs = 24 * 3600_000;

/** Makes the bundle's file if it is missing. The commit gets a ref in the mirror, so it stays there. */
export async function createCheckoutBundle(
  mirrors: Mirrors,
  repository: GitRepository,
  commit: Commit,
): Promise<{ path: string }> {
  const { git, cacheDir } = mirrors;
  const folder = join(cacheDir, 'bundles', basename(mirrorPath(mirrors, repository), '.git'));
  const path = join(folder, `${commit}.bundle`);
  return withLock(`${path}.lock`, async () => {
    const now = new Date();
    if (
      await utimes(path, now, now).then(
        () => true,
        () => false,
      )
    )
      return { path };
    await checkCommits(mirrors, repository, [commit]);
    await removeUnused(folder);
    const ref = `refs/jig/bases/${commit}`;
    const temporary = join(folder, `${randomUUID()}.partial`);
    await mkdir(folder, { recursive: true });
    await withMirror(mirrors, repository, (gitDir) => gitOutput(git, ['update-ref', ref, commit], { gitDir }));
    try {
      await gitOutput(git, ['bundle', 'create', '--quiet', temporary, ref], {
        gitDir: mirrorPath(mirrors, repository),
        timeoutMs: 15 * 60_000,
      });
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    return { path };
  });
}

async function removeUnused(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((entry) => /\.(bundle|partial)$/.test(entry))) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > unusedMs) await rm(join(folder, name), { force: true });
  }
}
