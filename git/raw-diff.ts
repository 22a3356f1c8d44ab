/** Finds the files that differ between two trees, without expanding more of them than a change may have. */
import { excerpt, gitOutput, type RunGit } from './command.ts';
import { GitRefusal, type FileChange } from './contract.ts';

export interface RawChange {
  path: string;
  /** Whether the path is not UTF-8, so that `path` is not exactly the path in the tree. */
  lossyPath: boolean;
  status: FileChange['status'];
  oldMode: string;
  newMode: string;
  /** Zeros if the file is added. */
  oldBlob: string;
  newBlob: string;
}

interface Entry {
  name: Buffer;
  oldMode: string;
  newMode: string;
  oldId: string;
  newId: string;
}

interface Folder {
  path: Buffer;
  oldTree: string;
  newTree: string;
}

const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const none = '000000';
const treeMode = '040000';
const maxDepth = 100;

/**
 * Lists the files that differ, in the order of their paths. It goes down one level at a time: git's own recursion holds
 * everything in memory before it writes, and a few small trees can stand for 10^10 paths.
 * @throws GitRefusal `too-many-files` past `maxFiles`, however many there are.
 */
export async function listRawChanges(
  git: RunGit,
  gitDir: string,
  from: string,
  to: string,
  maxFiles: number,
): Promise<RawChange[]> {
  const treeOf = async (id: string) =>
    (await gitOutput(git, ['rev-parse', '--verify', '--end-of-options', `${id}^{tree}`], { gitDir })).toString().trim();
  const files: { path: Buffer; entry: Entry }[] = [];
  let folders: Folder[] = [{ path: Buffer.alloc(0), oldTree: await treeOf(from), newTree: await treeOf(to) }];
  for (let depth = 0; folders.length > 0; depth++) {
    if (depth > maxDepth) throw new GitRefusal('unsafe-path', `The change has folders more than ${maxDepth} deep.`);
    const below: Folder[] = [];
    for (const { folder, entry } of await compareFolders(git, gitDir, folders, maxFiles)) {
      const path = Buffer.concat([folder.path, entry.name]);
      const isOldTree = entry.oldMode === treeMode;
      const isNewTree = entry.newMode === treeMode;
      if (isOldTree || isNewTree)
        below.push({
          path: Buffer.concat([path, Buffer.from('/')]),
          oldTree: isOldTree ? entry.oldId : emptyTree,
          newTree: isNewTree ? entry.newId : emptyTree,
        });
      else files.push({ path, entry });
    }
    // Every folder that differs contains a file that differs. The exception is an empty folder, which git itself never
    // writes.
    if (files.length + below.length > maxFiles)
      throw new GitRefusal('too-many-files', `The change touches more than ${maxFiles} files.`);
    folders = below;
  }
  return files.toSorted((a, b) => Buffer.compare(a.path, b.path)).map(({ path, entry }) => describe(path, entry));
}

function describe(bytes: Buffer, { oldMode, newMode, oldId, newId }: Entry): RawChange {
  const path = bytes.toString();
  // The first three digits distinguish files, links and submodules.
  const changed = oldMode.slice(0, 3) === newMode.slice(0, 3) ? 'modified' : 'type-changed';
  const status = oldMode === none ? 'added' : newMode === none ? 'deleted' : changed;
  return {
    path,
    lossyPath: !Buffer.from(path).equals(bytes),
    status,
    oldMode,
    newMode,
    oldBlob: oldId,
    newBlob: newId,
  };
}

/**
 * Compares all folders of a level with one git process. Each line of its input is a pair of trees, which it repeats
 * before their entries.
 */
async function compareFolders(
  git: RunGit,
  gitDir: string,
  folders: Folder[],
  maxFiles: number,
): Promise<{ folder: Folder; entry: Entry }[]> {
  const input = folders.map(({ oldTree, newTree }) => `${oldTree} ${newTree}\n`).join('');
  const args = ['diff-tree', '--stdin', '-z', '--raw', '--no-abbrev', '--no-renames', '--no-ext-diff', '--no-textconv'];
  const compared = await git(args, { gitDir, input, maxOutputBytes: (maxFiles + folders.length + 1) * 4500 });
  if (compared.cut || compared.timedOut)
    throw new GitRefusal('too-many-files', `The change touches more than ${maxFiles} files.`);
  if (compared.exitCode !== 0)
    throw new GitRefusal('bundle-corrupt', `The exported tree can't be read: ${excerpt(compared.stderr)}`);
  const found: { folder: Folder; entry: Entry }[] = [];
  const { stdout } = compared;
  let index = -1;
  for (let at = 0; at < stdout.length;) {
    if (stdout[at] !== 0x3a) {
      index++;
      at = stdout.indexOf('\n', at) + 1;
      continue;
    }
    const metaEnd = stdout.indexOf(0, at);
    const nameEnd = stdout.indexOf(0, metaEnd + 1);
    const [oldMode = '', newMode = '', oldId = '', newId = ''] = stdout.toString('latin1', at + 1, metaEnd).split(' ');
    const folder = folders[index];
    if (!folder) throw new Error('git diff-tree answered for trees that it was not asked about');
    found.push({ folder, entry: { name: stdout.subarray(metaEnd + 1, nameEnd), oldMode, newMode, oldId, newId } });
    at = nameEnd + 1;
  }
  return found;
}
