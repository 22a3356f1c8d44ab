/** Reads a git repository on this machine before anything is made of it, and says in words why it can't be used. */
import { execFile, spawn } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { JigError } from '../base/errors.ts';
import { shellWord } from '../base/shell-word.ts';
import { findNearest } from '../blueprints/nearest.ts';
import { BadInput } from './failure.ts';

export interface Source {
  /** Git's own folder, which all working trees of the repository share. */
  gitDir: string;
  /** The root of the working tree; the repository itself if it has none. */
  folder: string;
  /** Whether the path is a folder inside of the working tree. */
  isPart: boolean;
  /** The branch to start from, which has a commit. */
  branch: string;
  /** How many files have changes that no commit has, new files too. */
  uncommitted: number;
}

/**
 * The repository that holds this folder. @throws BadInput `not-a-repository`, `repository-empty`, `branch-not-found`,
 * `source-unusable`; JigError `program-missing`
 */
export async function readSource(path: string, wantedBranch: string | undefined): Promise<Source> {
  const { gitDir, folder, isPart } = await findRepository(path);
  const branch = await chooseBranch(folder, wantedBranch);
  await checkComplete(folder, branch);
  const status = await git(folder, 'status', '--porcelain', '--untracked-files=normal', '--ignore-submodules=dirty');
  return {
    gitDir,
    folder,
    isPart,
    branch,
    uncommitted: (status.stdout ?? '').split('\n').filter(Boolean).length,
  };
}

/** @throws BadInput `not-a-repository`, `source-unusable`; JigError `program-missing` */
export async function findRepository(path: string): Promise<Pick<Source, 'gitDir' | 'folder' | 'isPart'>> {
  const found = await git(path, 'rev-parse', '--path-format=absolute', '--git-common-dir', '--show-object-format');
  if (found.stdout === undefined) throw notARepository(path, found.stderr);
  const [gitDir = '', format] = found.stdout.trimEnd().split('\n');
  if (format !== 'sha1')
    throw new BadInput('source-unusable', `${path} names its commits by ${format}, which is not supported`, {
      hint: 'Only repositories with SHA-1 names can be used. `git init --object-format=sha1` makes one.',
    });
  const tree = await git(path, 'rev-parse', '--path-format=absolute', '--show-toplevel', '--show-prefix');
  if (tree.stdout === undefined)
    return { gitDir, folder: basename(gitDir) === '.git' ? dirname(gitDir) : gitDir, isPart: false };
  const [folder = '', prefix] = tree.stdout.split('\n');
  return { gitDir, folder, isPart: prefix !== '' };
}

function notARepository(path: string, said: string): BadInput {
  if (said.includes('dubious ownership'))
    return new BadInput('source-unusable', `${path} belongs to another user, so git does not read it`, {
      hint: `If you trust that user, say so: git config --global --add safe.directory ${shellWord(path)}`,
    });
  if (!said.includes('not a git repository'))
    return new BadInput('source-unusable', `Git can't read the repository ${path}: ${said}`);
  const isPlain = said.includes('(or any');
  return new BadInput('not-a-repository', `${path} is not a git repository${isPlain ? '' : `: ${said}`}`, {
    hint: 'Make it one with `git init`, `git add` and `git commit`.',
  });
}

/** The branch that is wanted, else the one that is checked out. It has a commit. */
async function chooseBranch(folder: string, wanted: string | undefined): Promise<string> {
  const branches = await listRefs(folder, 'refs/heads/');
  const head = (await git(folder, 'symbolic-ref', '--quiet', 'HEAD')).stdout?.trimEnd().replace(/^refs\/heads\//, '');
  const branch = wanted ?? head;
  if (branch !== undefined && branches.includes(branch)) return branch;
  const others = branches.slice(0, 10).map((name) => `--branch ${name}`);
  const hint =
    others.length > 0
      ? `Name a branch that it has: ${others.join(', ')}${branches.length > others.length ? ', …' : ''}`
      : undefined;
  if (branch === undefined)
    throw new BadInput('branch-not-found', `${folder} has no branch checked out (its HEAD is detached)`, {
      hint: hint ?? 'Make a branch of what is checked out with `git switch -c NAME`.',
    });
  if (wanted === undefined) {
    if (hint === undefined)
      throw new BadInput('repository-empty', `${folder} has no commits`, {
        hint: 'Make a first one with `git add` and `git commit`.',
      });
    throw new BadInput('branch-not-found', `${branch} is checked out in ${folder}, and has no commits`, { hint });
  }
  throw new BadInput('branch-not-found', `${folder} has no branch ${branch}`, {
    hint: (await findElsewhere(folder, branch)) ?? hintOfNearest(branch, branches) ?? hint ?? 'It has no branches.',
  });
}

/** How to make a branch of what is only a remote's branch, or a tag. */
async function findElsewhere(folder: string, branch: string): Promise<string | undefined> {
  const remote = (await listRefs(folder, 'refs/remotes/')).find(
    (name) => name === branch || name.replace(/^[^/]+\//, '') === branch,
  );
  if (remote !== undefined) {
    const name = remote.replace(/^[^/]+\//, '');
    return `It is only on a remote. Make it a branch here: git branch ${shellWord(name)} ${shellWord(remote)}`;
  }
  return (await listRefs(folder, 'refs/tags/')).includes(branch)
    ? `It is a tag. Make a branch of it: git branch NAME ${shellWord(`refs/tags/${branch}`)}`
    : undefined;
}

function hintOfNearest(branch: string, branches: string[]): string | undefined {
  const nearest = findNearest(branch, branches);
  return nearest === undefined ? undefined : `Did you mean --branch ${nearest}?`;
}

/** @throws BadInput `source-unusable` if the repository is a partial clone that lacks something of the branch */
async function checkComplete(folder: string, branch: string): Promise<void> {
  const partial = await git(
    folder,
    'config',
    '--get-regexp',
    String.raw`^(extensions\.partialclone|remote\..*\.promisor)$`,
  );
  if (partial.stdout === undefined || !(await lacksObjects(folder))) return;
  throw new BadInput('source-unusable', `${folder} is a partial clone: it lacks files of the history of ${branch}`, {
    hint: `Get them with: git -C ${shellWord(folder)} fetch --refetch --no-filter`,
  });
}

/** Looks for the first object that is missing. The list of all objects may be long, so it isn't kept. */
async function lacksObjects(folder: string): Promise<boolean> {
  const args = ['rev-list', '--objects', '--no-object-names', '--missing=print', '--branches', '--tags'];
  const child = spawn('git', ['-C', folder, ...args], { env: environment(), stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('?')) return true;
    return false;
  } finally {
    child.kill();
  }
}

async function listRefs(folder: string, prefix: string): Promise<string[]> {
  const refs = await git(folder, 'for-each-ref', '--format=%(refname:lstrip=2)', prefix);
  return (refs.stdout ?? '').split('\n').filter(Boolean);
}

/** The user's git without the variables by which a hook names another repository. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^GIT_(?:DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|PREFIX|NAMESPACE|OBJECT_DIRECTORY)$/.test(name),
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' };
}

/**
 * The output of git in the user's own repository, undefined if git fails; and what it said of that. @throws JigError
 * `program-missing`
 */
async function git(path: string, ...args: string[]): Promise<{ stdout: string | undefined; stderr: string }> {
  return new Promise((resolve, reject) => {
    const options = { env: environment(), maxBuffer: 256 * 1024 ** 2 };
    execFile('git', ['-C', path, ...args], options, (error, stdout, stderr) => {
      if (error && 'code' in error && error.code === 'ENOENT')
        reject(
          new JigError('program-missing', 'git is not installed', {
            hint: 'Install the package `git`.',
            cause: error,
          }),
        );
      else resolve({ stdout: error ? undefined : stdout, stderr: stderr.trim().replace(/^fatal: /, '') });
    });
  });
}
