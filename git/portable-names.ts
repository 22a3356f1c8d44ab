/** Finds names that a change brings and that other systems can't hold: Windows, and file systems that fold case. */
import type { RunGit } from './command.ts';
import type { RawChange } from './raw-diff.ts';

/** A part of a path that the base doesn't have, and the folder that it is in. */
interface NewName {
  change: RawChange;
  folder: string;
  name: string;
}

/**
 * The names that a change adds, folders included. A file that is added to a folder of the base brings only its own name.
 */
export async function findNewNames(
  git: RunGit,
  gitDir: string,
  base: string,
  changes: RawChange[],
): Promise<NewName[]> {
  const added = changes.filter(({ oldMode }) => oldMode === '000000');
  const folders = [...new Set(added.flatMap(({ path }) => foldersOf(path)))];
  const isInBase = await createLookup(git, gitDir, base, folders);
  return added.flatMap((change) =>
    [...foldersOf(change.path), change.path]
      .filter((path) => path === change.path || !isInBase(path))
      .map((path) => ({ change, folder: path.slice(0, Math.max(path.lastIndexOf('/'), 0)), name: nameOf(path) })),
  );
}

/** Of the new names, the files of those that another name of the tree equals but for case or the form of accents. */
export async function findCollisions(
  git: RunGit,
  gitDir: string,
  tree: string,
  names: NewName[],
): Promise<Map<RawChange, string>> {
  const found = new Map<RawChange, string>();
  const byFolder = Map.groupBy(names, ({ folder }) => folder);
  for (const [folder, here] of byFolder) {
    const listed = await git(['ls-tree', '-z', '--name-only', `${tree}:${folder}`], { gitDir });
    const byFold = Map.groupBy(listed.stdout.toString().split('\0').slice(0, -1), fold);
    for (const { change, name } of here) {
      const other = byFold.get(fold(name))?.find((each) => each !== name);
      if (other !== undefined) found.set(change, folder === '' ? other : `${folder}/${other}`);
    }
  }
  return found;
}

/** Whether Windows can't hold a name: its reserved characters and devices, and a dot or space at the end. */
export function isImpossibleOnWindows(name: string): boolean {
  return /[<>:"|?*]|[. ]$/.test(name) || /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)/i.test(name);
}

function fold(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

async function createLookup(
  git: RunGit,
  gitDir: string,
  base: string,
  paths: string[],
): Promise<(path: string) => boolean> {
  // One question is one line, so a path that has a line break is taken for new.
  const asked = paths.filter((path) => !path.includes('\n'));
  if (asked.length === 0) return () => false;
  const input = asked.map((path) => `${base}:${path}\n`).join('');
  const { stdout } = await git(['cat-file', '--batch-check=found'], { gitDir, input });
  const answers = stdout.toString().split('\n');
  const known = new Set(asked.filter((_, index) => answers[index] === 'found'));
  return (path) => known.has(path);
}
