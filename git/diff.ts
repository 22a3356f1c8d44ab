/** Reads the differences between two commits, without attributes, filters or diff programs. */
import { gitOutput, type RunGit } from './command.ts';
import { GitRefusal, type Commit, type DiffStat, type FileChange } from './contract.ts';
import { listRawChanges, type RawChange } from './raw-diff.ts';

const noDrivers = ['--no-ext-diff', '--no-textconv', '--no-renames', '--no-color'];

/** The sizes of blobs, in the order of `ids`. */
async function readBlobSizes(git: RunGit, gitDir: string, ids: string[]): Promise<number[]> {
  if (ids.length === 0) return [];
  const answer = await gitOutput(git, ['cat-file', '--batch-check=%(objecttype) %(objectsize)'], {
    gitDir,
    input: `${ids.join('\n')}\n`,
  });
  return answer
    .toString()
    .trimEnd()
    .split('\n')
    .map((line, index) => {
      const [type, size] = line.split(' ');
      if (type !== 'blob')
        throw new GitRefusal('bundle-corrupt', `The exported tree names ${ids[index]} as a file, which it is not.`);
      return Number(size);
    });
}

/** The files that differ, their new sizes, and the number of lines. @throws GitRefusal past `maxFiles` */
export async function readDiffStat(
  git: RunGit,
  gitDir: string,
  from: string,
  to: string,
  maxFiles = 100_000,
): Promise<DiffStat> {
  const changes = await listRawChanges(git, gitDir, from, to, maxFiles);
  return { files: await withSizes(git, gitDir, changes), ...(await countLines(git, gitDir, from, to)) };
}

/** Adds the new sizes. A deleted file and a submodule have size 0. */
export async function withSizes(git: RunGit, gitDir: string, changes: RawChange[]): Promise<FileChange[]> {
  const sizes = await readBlobSizes(
    git,
    gitDir,
    changes.filter(isFile).map((change) => change.newBlob),
  );
  return changes.map((change) => ({
    path: change.path,
    status: change.status,
    oldMode: change.oldMode,
    newMode: change.newMode,
    sizeBytes: isFile(change) ? (sizes.shift() ?? 0) : 0,
  }));
}

/** Counts added and removed lines. Binary files have none. */
export async function countLines(
  git: RunGit,
  gitDir: string,
  from: string,
  to: string,
): Promise<{ insertions: number; deletions: number }> {
  const counted = await gitOutput(
    git,
    ['diff-tree', '-r', '-z', '--numstat', ...noDrivers, '--end-of-options', from, to],
    { gitDir },
  );
  let insertions = 0;
  let deletions = 0;
  for (const line of splitNul(counted)) {
    const [added = '', removed = ''] = line.toString('latin1').split('\t');
    insertions += Number.parseInt(added, 10) || 0;
    deletions += Number.parseInt(removed, 10) || 0;
  }
  return { insertions, deletions };
}

/** A patch for people. If it was cut, its last line says so. */
export async function createDiff(
  git: RunGit,
  gitDir: string,
  base: Commit,
  commit: Commit,
  maxBytes = 1_000_000,
): Promise<Uint8Array> {
  const call = { gitDir, maxOutputBytes: maxBytes };
  const args = [
    '-p',
    '-r',
    '--full-index',
    '--no-ext-diff',
    '--no-textconv',
    '--no-color',
    '--find-renames',
    '--end-of-options',
    base,
    commit,
  ];
  const patch = await git(['diff-tree', ...args], call);
  if (patch.exitCode !== 0 && !patch.cut) throw new Error(`git diff-tree failed: ${patch.stderr.slice(-500)}`);
  return patch.cut
    ? Buffer.concat([
        patch.stdout.subarray(0, maxBytes),
        Buffer.from(`\n# The patch goes on: it was cut here, at ${maxBytes} bytes.\n`),
      ])
    : patch.stdout;
}

function splitNul(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    parts.push(bytes.subarray(start, end < 0 ? bytes.length : end));
    start = end < 0 ? bytes.length : end + 1;
  }
  return parts;
}

function isFile(change: RawChange): boolean {
  return change.status !== 'deleted' && change.newMode !== '160000';
}
