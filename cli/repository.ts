/**
 * Finds the repository that a run works on: a folder on this machine, which is imported into the local forge, or one
 * that is already there.
 */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { JigError } from '../base/errors.ts';
import type { LocalForge } from '../forge/local/local-forge.ts';
import { BadInput } from './failure.ts';
import { note, paintErr } from './output.ts';

export interface Import {
  /** `OWNER/NAME` in the local forge; `local/FOLDER` if missing. */
  name?: string;
  branch?: string;
  /** Shell commands of the repository's CI. The last one decides; those before it prepare the checkout. */
  ci?: string[];
}

/**
 * Reads `FORGE:OWNER/NAME`, a repository on one of the worker's code hosts; undefined for anything else. @throws
 * BadInput `invalid-input`
 */
export function parseHostedRepository(
  reference: string,
  { branch, ci = [] }: Import,
): { forge: string; name: string; branch?: string } | undefined {
  const [, forge, name] = /^([a-z][a-z0-9-]*):([A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+)$/.exec(reference) ?? [];
  if (forge === undefined || name === undefined || forge === 'local') return undefined;
  if (ci.length > 0)
    throw new BadInput('invalid-input', `--ci is for the local forge only: ${forge} runs its own checks`);
  return { forge, name, ...(branch !== undefined && { branch }) };
}

/**
 * Finds the repository, or imports a folder as one. @throws BadInput `not-a-repository`, `repository-unrelated`;
 * ForgeFailure
 */
export async function ensureRepository(
  forge: LocalForge,
  reference: string,
  wanted: Import,
): Promise<{ forge: string; name: string; branch?: string }> {
  const isFolder = (await stat(reference).catch(() => undefined))?.isDirectory() ?? false;
  const name = isFolder
    ? await importFolder(forge, resolve(reference), wanted)
    : await findInForge(forge, reference.replace(/^local:/, ''));
  if (wanted.ci && wanted.ci.length > 0) await forge.setCheck(name, checkOf(wanted.ci));
  return { forge: forge.name, name, ...(wanted.branch !== undefined && { branch: wanted.branch }) };
}

/** Shell commands in the form that the local forge keeps. */
function checkOf(commands: string[]): { command: string[]; setup: string[][] } {
  const [command, ...setup] = commands.map((script) => ['sh', '-c', script]).toReversed();
  return { command: command ?? [], setup: setup.toReversed() };
}

async function findInForge(forge: LocalForge, name: string): Promise<string> {
  if ((await forge.listRepositories()).includes(name)) return name;
  throw new BadInput('not-a-repository', `${name} is neither a folder here nor a repository of the local forge`, {
    hint: '`jig repo list` shows what the forge has; name a folder by its path, such as ./api.',
  });
}

async function importFolder(
  forge: LocalForge,
  path: string,
  { name = `local/${nameOf(path)}`, branch }: Import,
): Promise<string> {
  const head = await git(path, 'rev-parse', '--verify', '--quiet', `${branch ?? 'HEAD'}^{commit}`);
  if (!head)
    throw new BadInput(
      'not-a-repository',
      `${path} is not a git repository with a commit${branch === undefined ? '' : ` on ${branch}`}`,
      { hint: 'Make it one with `git init`, `git add` and `git commit`.' },
    );
  const { cloneUrl, defaultBranch } = await forge.ensureRepository({
    name,
    source: path,
    ...(branch !== undefined && { branch }),
  });
  const isPart = await git(cloneUrl, 'merge-base', '--is-ancestor', head, `refs/heads/${defaultBranch}`);
  if (isPart === undefined)
    throw new BadInput(
      'repository-unrelated',
      `The local forge's ${name} does not have commit ${head.slice(0, 8)} of ${path} on ${defaultBranch}`,
      {
        hint: 'Perhaps a change was merged there: fetch it with `git pull`. If it is another repository, import yours under another name with `jig repo add PATH --name OWNER/NAME`.',
      },
    );
  if (await git(path, 'status', '--porcelain', '--untracked-files=no'))
    note(`${paintErr('yellow', 'note')}: ${path} has uncommitted changes; a run sees only commits`);
  return name;
}

/** The repository's name for a folder. */
function nameOf(path: string): string {
  return (
    basename(path)
      .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
      .replace(/^[.-]+/, '')
      .slice(0, 100) || 'repository'
  );
}

/** The output of git in the user's own repository; undefined if git fails. @throws JigError `program-missing` */
async function git(path: string, ...args: string[]): Promise<string | undefined> {
  try {
    const where = (await stat(join(path, 'HEAD')).catch(() => undefined)) ? [`--git-dir=${path}`] : ['-C', path];
    return (await promisify(execFile)('git', [...where, ...args])).stdout.trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new JigError('program-missing', 'git is not installed', {
        hint: 'Install the package `git`.',
        cause: error,
      });
    return undefined;
  }
}
