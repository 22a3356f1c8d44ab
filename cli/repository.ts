/**
 * Finds the repository that a run works on: a folder on this machine, which is imported into the local forge, or one
 * that is already there.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { plural } from '../base/plural.ts';
import { findNearest } from '../blueprints/nearest.ts';
import type { LocalForge } from '../forge/local/local-forge.ts';
import { BadInput } from './failure.ts';
import { note, paintErr } from './output.ts';
import { readSource, type Source } from './source.ts';

export interface Import {
  /** `OWNER/NAME` in the local forge; `local/FOLDER` if missing. */
  name?: string;
  /** The branch to start from. */
  branch?: string;
  /** Whether that branch becomes the default branch. */
  isDefault?: boolean;
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
 * Finds the repository, or imports a folder as one. A folder's branch is always named. If this fails, nothing was
 * added. @throws BadInput `not-a-repository`, `repository-empty`, `branch-not-found`, `source-unusable`; JigError
 * `repository-unrelated`, `history-diverged`, `source-unusable`; ForgeFailure
 */
export async function ensureRepository(
  forge: LocalForge,
  reference: string,
  wanted: Import,
): Promise<{ forge: string; name: string; branch?: string }> {
  const isFolder = (await stat(reference).catch(() => undefined))?.isDirectory() ?? false;
  const found = isFolder
    ? await importFolder(forge, resolve(reference), wanted)
    : await findInForge(forge, reference.replace(/^local:/, ''), wanted);
  if (wanted.ci && wanted.ci.length > 0) await forge.setCheck(found.name, checkOf(wanted.ci));
  return { forge: forge.name, ...found };
}

/** Shell commands in the form that the local forge keeps. */
function checkOf(commands: string[]): { command: string[]; setup: string[][] } {
  const [command, ...setup] = commands.map((script) => ['sh', '-c', script]).toReversed();
  return { command: command ?? [], setup: setup.toReversed() };
}

async function findInForge(
  forge: LocalForge,
  name: string,
  { branch }: Import,
): Promise<{ name: string; branch?: string }> {
  if (!(await forge.listRepositories()).includes(name))
    throw new BadInput('not-a-repository', `${name} is neither a folder here nor a repository of the local forge`, {
      hint: '`jig repo list` shows what the forge has; name a folder by its path, such as ./api.',
    });
  if (branch === undefined) return { name };
  const branches = await forge.listBranches(name);
  if (branches.includes(branch)) return { name, branch };
  throw new BadInput('branch-not-found', `The local forge's ${name} has no branch ${branch}`, {
    hint: `Did you mean ${findNearest(branch, branches) ?? branches[0] ?? 'another repository'}? \`jig repo update ${name}\` brings new branches of its folder.`,
  });
}

async function importFolder(
  forge: LocalForge,
  path: string,
  { name, branch, isDefault }: Import,
): Promise<{ name: string; branch: string }> {
  const source = await readSource(path, branch);
  const wanted = name ?? `local/${nameOf(source.folder)}`;
  await forge.ensureRepository({
    name: wanted,
    source: source.gitDir,
    branch: source.branch,
    ...(isDefault && { defaultBranch: source.branch }),
  });
  remark(path, source);
  return { name: wanted, branch: source.branch };
}

/** Says what a run of this folder doesn't see. */
function remark(path: string, { folder, isPart, uncommitted }: Source): void {
  const prefix = paintErr('yellow', 'note');
  if (isPart) note(`${prefix}: ${path} is a part of ${folder}; a run sees the whole repository`);
  if (uncommitted > 0)
    note(`${prefix}: ${folder} has uncommitted changes (${plural(uncommitted, 'file')}); a run sees only commits`);
}

/** The repository's name for a folder. A name that loses letters gets a part that tells it from others that do. */
export function nameOf(path: string): string {
  const folder = basename(path, '.git').normalize('NFC');
  const name = folder
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 80);
  if (name !== '' && /^[\x20-\x7E]*$/.test(folder) && name.length < 80) return name;
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  return `${name.replace(/-+$/, '') || 'repository'}-${hash}`;
}
