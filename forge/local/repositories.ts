/** The repositories of the local forge: bare copies of repositories on this machine. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { JigError } from '../../base/errors.ts';
import type { Repository } from '../contract.ts';
import { ForgeFailure } from '../errors.ts';
import { findCommit, type BareGit } from './bare-repository.ts';
import {
  fetchInto,
  folderOf,
  followBranch,
  importedRefs,
  readAnyOwner,
  removeGone,
  type Followed,
} from './follow-source.ts';
import { RepositoryCheck, type LocalState } from './state.ts';
import type { z } from 'zod';

export interface WantedRepository {
  name: string;
  /** A git repository or working tree on this machine. */
  source: string;
  /** The branch to bring up to date; the one that is checked out in the source if missing. */
  branch?: string;
  /** If missing, the default branch stays, and is at first the one that is checked out in the source. */
  defaultBranch?: string;
  check?: z.input<typeof RepositoryCheck>;
  archived?: boolean;
}

/**
 * Imports the source's branches and tags the first time. Later it brings one branch up to date, as far as nothing was
 * merged into it here. If it fails, no repository is added. @throws JigError `source-unusable`, `branch-not-found`,
 * `history-diverged`, `repository-unrelated`; ForgeFailure
 */
export async function ensureRepository(
  state: LocalState,
  git: BareGit,
  forge: string,
  wanted: WantedRepository,
): Promise<Repository> {
  const gitDir = state.gitDir(wanted.name);
  const source = resolve(wanted.source);
  const checkedOut = await findCheckedOutBranch(git, source);
  const branch = wanted.branch ?? checkedOut;
  if (branch === undefined)
    throw new JigError(
      'branch-not-found',
      `${folderOf(source)} has no branch checked out; name the one to start from.`,
    );
  if (await isThere(gitDir)) {
    // An import that a crash interrupted has no record.
    const knownSource = (await state.repository(wanted.name).find())?.source ?? source;
    await followBranch(git, gitDir, { name: wanted.name, source, knownSource, branch, isSame: knownSource === source });
  } else await importAll(git, gitDir, source, branch);
  const check = wanted.check && RepositoryCheck.parse(wanted.check);
  const { defaultBranch } = await state.repository(wanted.name).update((current) => ({
    ...current,
    source,
    defaultBranch: wanted.defaultBranch ?? current?.defaultBranch ?? checkedOut ?? branch,
    archived: wanted.archived ?? current?.archived ?? false,
    changes: current?.changes ?? [],
    ...(check && { check }),
  }));
  await gitOrRefuse(git, gitDir, ['symbolic-ref', 'HEAD', `refs/heads/${defaultBranch}`], source);
  return getRepository(state, git, forge, wanted.name);
}

/** A whole import appears at once, so that no half of one is ever seen. */
async function importAll(git: BareGit, gitDir: string, source: string, branch: string): Promise<void> {
  const making = `${gitDir}.${randomUUID()}`;
  try {
    await mkdir(making, { recursive: true });
    await gitOrRefuse(git, making, ['init', '--quiet', '--bare', '--template=', '--', making], source);
    // The received pack is kept: if it were unpacked, a few large files would be compressed again for each mirror.
    await fetchInto(git, making, source, ['--keep'], ['refs/heads/*:refs/heads/*', `refs/heads/*:${importedRefs}*`]);
    const isEmpty = (await git(making, ['for-each-ref', '--count=1', 'refs/heads/'])).stdout === '';
    if (!isEmpty && !(await findCommit(git, making, branch)))
      throw new JigError('branch-not-found', `${folderOf(source)} has no branch ${JSON.stringify(branch)}.`);
    await rename(making, gitDir).catch(async (error: unknown) => {
      // Another process was faster.
      if (!(await isThere(gitDir))) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/**
 * Brings branches of a repository up to date with its source, also if its history was rewritten there. A branch into
 * which something was merged here is left alone, unless `force` is set. A branch that is gone there, is as it was
 * imported and not `inUse`, is removed. @throws JigError `source-unusable`;
 * ForgeFailure `forge-not-found`
 */
export async function updateRepository(
  state: LocalState,
  git: BareGit,
  { name, from, force = false, inUse }: { name: string; from?: string | undefined; force?: boolean; inUse: string[] },
): Promise<Followed[]> {
  const known = await state.getRepository(name);
  const source = from === undefined ? known.source : resolve(from);
  const gitDir = state.gitDir(name);
  const listed = await git(gitDir, ['ls-remote', '--heads', readAnyOwner, '--', source]);
  if (listed.exitCode !== 0)
    throw new JigError('source-unusable', `${folderOf(source)} can't be read: ${listed.stderr.trim()}`, {
      hint: `If it was moved, say where it is: jig repo update ${name} --from PATH`,
    });
  const branches = [...listed.stdout.matchAll(/\trefs\/heads\/(.+)$/gm)].map(([, branch = '']) => branch);
  const followed = await removeGone(git, gitDir, { present: branches, inUse: [known.defaultBranch, ...inUse] });
  for (const branch of branches) {
    const wanted = { name, source, knownSource: source, branch, isSame: true, force };
    followed.push(
      await followBranch(git, gitDir, wanted).catch((error: unknown): Followed => {
        if (error instanceof JigError && error.code === 'history-diverged')
          return { branch, result: 'diverged', reason: error.message, hint: error.hint };
        throw error;
      }),
    );
  }
  await state.repository(name).update((current = known) => ({ ...current, source }));
  return followed;
}

/** Removes a repository with its changes. Repeatable. */
export async function removeRepository(state: LocalState, name: string): Promise<void> {
  // Both folders leave their places at once, so that no half of a repository is seen.
  for (const folder of [state.folder(name), state.gitDir(name)]) {
    const aside = state.asidePath();
    await mkdir(join(aside, '..'), { recursive: true });
    if (await isThere(folder)) await rename(folder, aside);
    await rm(aside, { recursive: true, force: true });
  }
}

/** Sets a repository's check; undefined removes it. Repeatable. */
export async function setCheck(
  state: LocalState,
  name: string,
  check: z.input<typeof RepositoryCheck> | undefined,
): Promise<void> {
  const known = await state.getRepository(name);
  await state.repository(name).update((current = known) => {
    const { check: _, ...rest } = current;
    return check ? { ...rest, check: RepositoryCheck.parse(check) } : rest;
  });
}

export async function getRepository(state: LocalState, git: BareGit, forge: string, name: string): Promise<Repository> {
  const { defaultBranch, archived } = await state.getRepository(name);
  const gitDir = state.gitDir(name);
  const refs = await git(gitDir, ['for-each-ref', '--count=1', 'refs/heads/']);
  return { forge, name, cloneUrl: gitDir, defaultBranch, archived, empty: refs.stdout === '' };
}

export async function listBranches(state: LocalState, git: BareGit, name: string): Promise<string[]> {
  await state.getRepository(name);
  const refs = await git(state.gitDir(name), ['for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/']);
  return refs.stdout.split('\n').filter(Boolean);
}

async function findCheckedOutBranch(git: BareGit, source: string): Promise<string | undefined> {
  const gitDir = (await isThere(join(source, '.git'))) ? join(source, '.git') : source;
  const found = await git(gitDir, ['symbolic-ref', '--quiet', '--short', 'HEAD']);
  return found.exitCode === 0 ? found.stdout.trim() : undefined;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function gitOrRefuse(git: BareGit, gitDir: string, args: string[], source: string): Promise<void> {
  const result = await git(gitDir, args);
  if (result.exitCode !== 0)
    throw new ForgeFailure('forge-refused', `${source} can't be imported: git ${args[0]}: ${result.stderr.trim()}`);
}
