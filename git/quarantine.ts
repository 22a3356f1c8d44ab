/** The quarantine: it holds what a sandbox exported until every object and path in it was checked. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { excerpt, gitOutput, type RunGit } from './command.ts';
import { GitRefusal, type Commit, type ExportedCommit, type QuarantineRequest } from './contract.ts';
import { countLines } from './diff.ts';
import { checkExport } from './export-policy.ts';
import { checkCommits, mirrorPath, withMirror, type Mirrors } from './mirror.ts';

/** A bundle may be larger than the change: it holds a whole tree if the sandbox lost its base. */
const maxBundleBytes = 256_000_000;
const maxHeaderBytes = 65_536;
/** Limits on unpacking. A small bundle may unpack to something huge, so time and allocations are limited. */
const unpackLimits = { timeoutMs: 60_000, env: { GIT_ALLOC_LIMIT: '64m' } };

/** The folder of the quarantine. Each export has its own folder in it, which is removed once the export was decided. */
export const quarantineFolder = (cacheDir: string): string => join(cacheDir, 'quarantine');

export async function quarantine(
  mirrors: Mirrors,
  request: QuarantineRequest,
  signal?: AbortSignal,
): Promise<ExportedCommit> {
  const { git, cacheDir } = mirrors;
  await checkCommits(
    mirrors,
    request.repository,
    [request.base, request.parent, request.since].filter((commit) => commit !== undefined),
  );
  await mkdir(quarantineFolder(cacheDir), { recursive: true });
  const gitDir = await mkdtemp(join(quarantineFolder(cacheDir), 'export-'));
  try {
    await gitOutput(git, ['init', '--quiet', '--bare', '--template=', '--', gitDir]);
    const mirror = mirrorPath(mirrors, request.repository);
    await writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${join(mirror, 'objects')}\n`);
    await copyFile(join(mirror, 'shallow'), join(gitDir, 'shallow')).catch(unlessMissing);
    const tree =
      request.bundlePath === undefined
        ? await findTree(git, gitDir, request.base)
        : await receiveTree(git, gitDir, request.bundlePath, signal);
    const files = await checkExport(git, gitDir, { ...request, tree });
    const lines = await countLines(git, gitDir, request.base, tree);
    const exported = { base: request.base, files, ...lines };
    const parent = request.parent ?? request.base;
    if ((await findTree(git, gitDir, parent)) === tree) return exported;
    const commit = await commitTree(git, gitDir, tree, parent, request);
    await keepInMirror(mirrors, request, gitDir, commit, signal);
    return { ...exported, commit };
  } finally {
    await rm(gitDir, { recursive: true, force: true });
  }
}

async function findTree(git: RunGit, gitDir: string, commit: Commit): Promise<string> {
  const found = await gitOutput(git, ['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`], { gitDir });
  return found.toString().trim();
}

/**
 * Unpacks the bundle with git's own strict checks, and returns the tree of its one head. Nothing else of the bundle is
 * ever used.
 */
async function receiveTree(git: RunGit, gitDir: string, bundlePath: string, signal?: AbortSignal): Promise<string> {
  const { size } = await stat(bundlePath);
  if (size > maxBundleBytes)
    throw new GitRefusal('too-large', `The bundle has ${size} bytes; at most ${maxBundleBytes} are allowed.`);
  const { head, packOffset } = await readBundleHeader(bundlePath);
  const received = await git(
    ['index-pack', '--stdin', '--strict', '--fix-thin', `--max-input-size=${maxBundleBytes}`],
    {
      gitDir,
      input: createReadStream(bundlePath, { start: packOffset }),
      signal,
      ...unpackLimits,
    },
  );
  if (received.timedOut || /attempting to allocate|exceeds maximum allowed size|out of memory/i.test(received.stderr)) {
    throw new GitRefusal('too-large', 'The unpacked bundle is larger than allowed.');
  }
  if (received.exitCode !== 0) throw fsckRefusal(received.stderr);
  const tree = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${head}^{tree}`], { gitDir });
  if (tree.exitCode !== 0) throw new GitRefusal('bundle-corrupt', "The bundle's head is not a commit in it.");
  return tree.stdout.toString().trim();
}

/** Reads the header of a bundle as git writes it: version, prerequisites, exactly one head, an empty line. */
async function readBundleHeader(bundlePath: string): Promise<{ head: Commit; packOffset: number }> {
  await using file = await open(bundlePath, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(maxHeaderBytes), 0, maxHeaderBytes, 0);
  const end = buffer.subarray(0, bytesRead).indexOf('\n\n');
  const [version, ...lines] = buffer.subarray(0, Math.max(end, 0)).toString('latin1').split('\n');
  const heads = lines.filter((line) => !line.startsWith('-') && !line.startsWith('@'));
  const head = /^([0-9a-f]{40}(?:[0-9a-f]{24})?) \S+$/.exec(heads[0] ?? '')?.[1];
  if (!version || !/^# v[23] git bundle$/.test(version) || heads.length !== 1 || !head) {
    throw new GitRefusal('bundle-corrupt', 'The export is not a bundle with one head.');
  }
  return { head, packOffset: end + 2 };
}

function fsckRefusal(stderr: string): GitRefusal {
  const said = excerpt(stderr);
  if (/gitmodules/i.test(said)) return new GitRefusal('submodule', `The export has an unsafe .gitmodules: ${said}`);
  if (/hasDot|fullPathname|emptyName|nullSha1InTree|treeNotSorted|duplicateEntries/i.test(said)) {
    return new GitRefusal('unsafe-path', `The export has a tree with unsafe names: ${said}`);
  }
  return new GitRefusal('bundle-corrupt', `The bundle did not pass git's checks: ${said}`);
}

/**
 * Makes the commit. The same request makes the same commit: it consists only of author, committer, date, message, tree
 * and parent.
 */
async function commitTree(
  git: RunGit,
  gitDir: string,
  tree: string,
  parent: Commit,
  { author, date, message }: QuarantineRequest,
): Promise<Commit> {
  const when = `@${Math.floor(Date.parse(date) / 1000)} +0000`;
  const env = {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_AUTHOR_DATE: when,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    GIT_COMMITTER_DATE: when,
  };
  const made = await gitOutput(git, ['commit-tree', '-p', parent, '-F', '-', tree], {
    gitDir,
    env,
    input: message.endsWith('\n') ? message : `${message}\n`,
  });
  return made.toString().trim();
}

/** Puts what the commit reaches into the mirror. Whatever else the bundle held is removed with the quarantine. */
async function keepInMirror(
  mirrors: Mirrors,
  request: QuarantineRequest,
  quarantineDir: string,
  commit: Commit,
  signal?: AbortSignal,
): Promise<void> {
  const { git } = mirrors;
  await gitOutput(git, ['update-ref', 'refs/heads/export', commit], { gitDir: quarantineDir });
  const ref = `refs/jig/exports/${createHash('sha256').update(request.key).digest('hex').slice(0, 40)}`;
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--',
    quarantineDir,
    `+refs/heads/export:${ref}`,
  ];
  await withMirror(
    mirrors,
    request.repository,
    (gitDir) => gitOutput(git, args, { gitDir, protocol: 'file', signal }),
    signal,
  );
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
