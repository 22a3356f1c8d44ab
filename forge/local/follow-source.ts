/** Brings a branch of a copy up to date with the repository that it was imported from. */
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { JigError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import { shellWord } from '../../base/shell-word.ts';
import { findCommit, isAncestor, type BareGit } from './bare-repository.ts';

/** Below it are the branches as they were in the source when they were last imported. */
export const importedRefs = 'refs/jig/imported/';

export interface Followed {
  branch: string;
  /** `ahead`: the copy has what the source has, and more. `diverged`: it was left alone, for this reason. */
  result: 'new' | 'updated' | 'unchanged' | 'ahead' | 'diverged' | 'removed';
  reason?: string;
  /** What to do about that. */
  hint?: string | undefined;
}

interface Wanted {
  /** `OWNER/NAME` of the copy. */
  name: string;
  /** An absolute path. */
  source: string;
  /** Where the copy was imported from. */
  knownSource: string;
  branch: string;
  /** Whether the source is the one that the copy was imported from. */
  isSame: boolean;
  /** Whether the branch becomes that of the source in any case. */
  force?: boolean;
}

/** How often the branch may be moved by somebody else meanwhile. */
const maxTries = 10;

/**
 * Moves the copy's branch to the source's. If nothing was merged into it here, it also follows a history that was
 * rewritten. @throws JigError `source-unusable`, `history-diverged`, `repository-unrelated`
 */
export async function followBranch(git: BareGit, gitDir: string, wanted: Wanted): Promise<Followed> {
  const { source, branch } = wanted;
  const incoming = `refs/jig/incoming/${randomUUID()}`;
  await fetchInto(git, gitDir, source, [], [`refs/heads/${branch}:${incoming}`]);
  const theirs = await getRef(git, gitDir, incoming);
  try {
    for (let tried = 1; ; tried += 1) {
      const heads = await readHeads(git, gitDir, branch);
      const { ours, imported } = heads;
      const head = await chooseHead(git, gitDir, wanted, { theirs, ...heads }).catch(async (error: unknown) => {
        // Another import may have moved both, one of them before it was read.
        if (isDeepStrictEqual(heads, await readHeads(git, gitDir, branch))) throw error;
        return undefined;
      });
      if (head === undefined) continue;
      const moved = await git(
        gitDir,
        ['update-ref', '--stdin'],
        [
          'start',
          `update refs/heads/${branch} ${head} ${ours ?? missing}`,
          `update ${importedRefs}${branch} ${theirs} ${imported ?? missing}`,
          'commit\n',
        ].join('\n'),
      );
      if (moved.exitCode === 0)
        return {
          branch,
          result: ours === undefined ? 'new' : head !== ours ? 'updated' : head === theirs ? 'unchanged' : 'ahead',
        };
      if (tried === maxTries)
        throw new JigError(
          'source-unusable',
          `${branch} of ${folderOf(source)} can't be imported: ${moved.stderr.trim()}`,
          {
            hint: `If the message names another branch, it is in the way of this one. If it is gone in the folder: jig repo update ${wanted.name}`,
          },
        );
    }
  } finally {
    await git(gitDir, ['update-ref', '-d', incoming]);
  }
}

/** Removes the branches that the source had and doesn't have any more, if they are still as they were imported. */
export async function removeGone(
  git: BareGit,
  gitDir: string,
  { present, inUse }: { present: string[]; inUse: string[] },
): Promise<Followed[]> {
  const kept = new Set([...present, ...inUse]);
  const listed = await git(gitDir, ['for-each-ref', '--format=%(refname:lstrip=3)', importedRefs]);
  const removed: Followed[] = [];
  for (const branch of listed.stdout.split('\n').filter((name) => name !== '' && !kept.has(name))) {
    const { ours, imported } = await readHeads(git, gitDir, branch);
    if (ours === undefined || ours !== imported) continue;
    const deletions = `start\ndelete refs/heads/${branch} ${ours}\ndelete ${importedRefs}${branch} ${imported}\ncommit\n`;
    const { exitCode } = await git(gitDir, ['update-ref', '--stdin'], deletions);
    if (exitCode === 0) removed.push({ branch, result: 'removed' });
  }
  return removed;
}

/** The folder that people know, for git's own folder in it. */
export function folderOf(source: string): string {
  return source.replace(/\/\.git$/, '');
}

/** In a transaction of refs: a ref that must not exist. */
const missing = '0'.repeat(40);

interface Heads {
  theirs: string;
  ours: string | undefined;
  /** What was the source's when the branch was last imported. */
  imported: string | undefined;
}

async function readHeads(git: BareGit, gitDir: string, branch: string): Promise<Omit<Heads, 'theirs'>> {
  return {
    ours: await findCommit(git, gitDir, branch),
    imported: await findRef(git, gitDir, `${importedRefs}${branch}`),
  };
}

async function chooseHead(git: BareGit, gitDir: string, wanted: Wanted, heads: Heads): Promise<string> {
  const { theirs, ours, imported } = heads;
  if (ours === undefined || ours === theirs || wanted.force) return theirs;
  if (ours === imported && wanted.isSame) return theirs;
  if (await isAncestor(git, gitDir, ours, theirs)) return theirs;
  const isRewritten = wanted.isSame && imported !== undefined && !(await isAncestor(git, gitDir, imported, theirs));
  if (!isRewritten && (await isAncestor(git, gitDir, theirs, ours))) return ours;
  throw wanted.isSame
    ? diverged(wanted, { isRewritten, ours: await countOwn(git, gitDir, theirs, ours), gitDir })
    : unrelated(wanted, theirs);
}

function diverged(
  { name, source, branch }: Wanted,
  { isRewritten, ours, gitDir }: { isRewritten: boolean; ours: number; gitDir: string },
): JigError {
  const what = isRewritten
    ? `The history of ${branch} was rewritten in ${folderOf(source)}`
    : `${branch} went on in ${folderOf(source)}`;
  return new JigError(
    'history-diverged',
    `${what}, while ${branch} of ${name} has ${plural(ours, 'commit')} that it lacks, such as those of a merged change`,
    {
      hint: `To keep them, get them with \`git pull --rebase ${shellWord(gitDir)} ${shellWord(branch)}\`. To give them up, bring ${name} up to date with \`jig repo update ${name} --force\`.`,
    },
  );
}

function unrelated({ name, source, knownSource, branch }: Wanted, theirs: string): JigError {
  return new JigError(
    'repository-unrelated',
    `The local forge's ${name} was imported from ${folderOf(knownSource)}, and has another history of ${branch}: it does not have commit ${theirs.slice(0, 8)} of ${folderOf(source)}`,
    {
      hint: `If it is another repository, import it under another name: jig repo add ${shellWord(folderOf(source))} --name OWNER/NAME. If it is the same one in a new place: jig repo update ${name} --from ${shellWord(folderOf(source))}`,
    },
  );
}

async function countOwn(git: BareGit, gitDir: string, theirs: string, ours: string): Promise<number> {
  return Number((await git(gitDir, ['rev-list', '--count', `${theirs}..${ours}`])).stdout);
}

/** The user's own git decides whose repositories may be read, before this. Its configuration isn't read here. */
export const readAnyOwner = "--upload-pack=git -c safe.directory='*' upload-pack";

/** Fetches from the source what the specifications say, and its tags. @throws JigError `source-unusable` */
export async function fetchInto(
  git: BareGit,
  gitDir: string,
  source: string,
  options: string[],
  refs: string[],
): Promise<void> {
  const isShallow = (await stat(join(gitDir, 'shallow')).catch(() => undefined)) !== undefined;
  const depth = isShallow ? ['--update-shallow', '--unshallow'] : ['--update-shallow'];
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', readAnyOwner, ...depth, ...options];
  for (let tried = 1; ; tried += 1) {
    const fetched = await git(gitDir, [...fetch, '--', source, ...refs, '+refs/tags/*:refs/tags/*']);
    if (fetched.exitCode === 0) return;
    // Two imports at once may write the same tag.
    if (tried === maxTries || !/cannot lock ref|\.lock'/.test(fetched.stderr))
      throw new JigError('source-unusable', `${folderOf(source)} can't be imported: ${fetched.stderr.trim()}`);
    await wait(20 * tried);
  }
}

async function findRef(git: BareGit, gitDir: string, ref: string): Promise<string | undefined> {
  const found = await git(gitDir, ['rev-parse', '--verify', '--quiet', '--end-of-options', ref]);
  return found.exitCode === 0 ? found.stdout.trim() : undefined;
}

async function getRef(git: BareGit, gitDir: string, ref: string): Promise<string> {
  const found = await findRef(git, gitDir, ref);
  if (found === undefined) throw new Error(`${ref} is gone`);
  return found;
}
