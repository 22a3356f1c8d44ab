/** The repositories of the local forge: bare copies of repositories on this machine. */
import { mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Repository } from '../contract.ts';
import { ForgeFailure } from '../errors.ts';
import type { BareGit } from './bare-repository.ts';
import { RepositoryCheck, type LocalState } from './state.ts';
import type { z } from 'zod';

export interface WantedRepository {
  name: string;
  /** A git repository or working tree on this machine. */
  source: string;
  /** The default branch; the branch that is checked out in the source if missing. */
  branch?: string;
  check?: z.input<typeof RepositoryCheck>;
  archived?: boolean;
}

/**
 * Imports the source's branches the first time. Later it updates the default branch if that is a fast-forward, and
 * leaves it alone if the forge's own history went on.
 */
export async function ensureRepository(
  state: LocalState,
  git: BareGit,
  forge: string,
  wanted: WantedRepository,
): Promise<Repository> {
  const gitDir = state.gitDir(wanted.name);
  const source = resolve(wanted.source);
  const defaultBranch = wanted.branch ?? (await readCheckedOutBranch(git, source));
  // The record is written last, so an interrupted import is done again.
  const isNew = (await state.repository(wanted.name).find()) === undefined;
  if (isNew) {
    await mkdir(gitDir, { recursive: true });
    await gitOrRefuse(git, gitDir, ['init', '--quiet', '--bare', '--template=', '--', gitDir]);
    // The received pack is kept: if it were unpacked, a few large files would be compressed again for each mirror.
    await gitOrRefuse(git, gitDir, [
      'fetch',
      '--quiet',
      '--keep',
      '--no-tags',
      '--',
      source,
      'refs/heads/*:refs/heads/*',
    ]);
  } else
    await git(gitDir, [
      'fetch',
      '--quiet',
      '--no-tags',
      '--',
      source,
      `refs/heads/${defaultBranch}:refs/heads/${defaultBranch}`,
    ]);
  await gitOrRefuse(git, gitDir, ['symbolic-ref', 'HEAD', `refs/heads/${defaultBranch}`]);
  const check = wanted.check && RepositoryCheck.parse(wanted.check);
  await state.repository(wanted.name).update((current) => ({
    ...current,
    defaultBranch,
    archived: wanted.archived ?? false,
    changes: current?.changes ?? [],
    ...(check && { check }),
  }));
  return getRepository(state, git, forge, wanted.name);
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

async function readCheckedOutBranch(git: BareGit, source: string): Promise<string> {
  const gitDir = (await stat(join(source, '.git')).catch(() => undefined)) ? join(source, '.git') : source;
  const found = await git(gitDir, ['symbolic-ref', '--quiet', '--short', 'HEAD']);
  if (found.exitCode === 0) return found.stdout.trim();
  throw new ForgeFailure(
    'forge-refused',
    `${source} is not a git repository with a branch checked out; name one with --branch. ${found.stderr.trim()}`,
  );
}

async function gitOrRefuse(git: BareGit, gitDir: string, args: string[]): Promise<void> {
  const result = await git(gitDir, args);
  if (result.exitCode !== 0)
    throw new ForgeFailure('forge-refused', `The import failed at git ${args[0]}: ${result.stderr.trim()}`);
}
