/** Checks what a sandbox exported against the policy for changes. */
import { gitOutput, type RunGit } from './command.ts';
import { GitRefusal, type Commit, type ExportPolicy, type FileChange, type GitRefusalCode } from './contract.ts';
import { withSizes } from './diff.ts';
import { findFilteredFiles } from './filtered-files.ts';
import { createMatcher, createProtection } from './globs.ts';
import { findCollisions, findNewNames, isImpossibleOnWindows } from './portable-names.ts';
import { listRawChanges, type RawChange } from './raw-diff.ts';

const symlinkMode = '120000';
const submoduleMode = '160000';
const maxNameBytes = 255;

export interface Export {
  base: Commit;
  tree: string;
  since?: Commit;
  policy: ExportPolicy;
}

/**
 * Checks the change and returns its files, from base to tree. @throws GitRefusal with the paths that the policy refuses
 */
export async function checkExport(
  git: RunGit,
  gitDir: string,
  { base, tree, since, policy }: Export,
): Promise<FileChange[]> {
  const protection = createProtection(policy.protectedPaths);
  const isAllowed = policy.allowedPaths ? createMatcher(policy.allowedPaths) : () => true;
  const changes = await listRawChanges(git, gitDir, base, tree, policy.maxFiles);
  const recent = since ? await listRawChanges(git, gitDir, since, tree, policy.maxFiles) : changes;
  const refuse: Refuse = (...refusal) => refuseAny(changes, ...refusal);

  // A name that the base has may stay, whatever it is: the change doesn't bring it.
  const names = await findNewNames(git, gitDir, base, changes);
  const unsafe = new Set(names.filter(({ name }) => isUnsafePath(name)).map(({ change }) => change));
  refuse(
    'unsafe-path',
    'These names are not safe',
    (change) => unsafe.has(change) || (change.lossyPath && change.status === 'added'),
  );
  if (!policy.allow?.includes('unportable-name')) await checkPortable(git, gitDir, tree, names, refuse);
  refuse('submodule', 'These are submodules, or say where submodules come from', isSubmodule);
  refuse(
    'protected-path',
    'These paths are protected',
    ({ path, newMode }) => protection.protects(path) || (newMode === symlinkMode && protection.hides(path)),
  );
  refuseAny(
    recent,
    'path-not-allowed',
    'These paths are not among those that may change',
    ({ path }) => !isAllowed(path),
  );
  if (!policy.allow?.includes('mode-change')) {
    refuse(
      'mode-change',
      'These files would become executable (mode 100644 -> 100755)',
      ({ oldMode, newMode }) => oldMode === '100644' && newMode === '100755',
    );
  }

  const files = await withSizes(git, gitDir, changes);
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (sizeBytes > policy.maxBytes) {
    const largest = files
      .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, 5)
      .map((file) => file.path);
    throw new GitRefusal('too-large', `The changed files have ${sizeBytes} bytes, of at most ${policy.maxBytes}.`, {
      paths: largest,
    });
  }
  await checkContents(git, gitDir, changes, files, refuse);
  await checkFilters(git, gitDir, { base, tree }, changes, refuse);
  return files;
}

type Refuse = (code: GitRefusalCode, sentence: string, isRefused: (change: RawChange) => boolean) => void;

async function checkPortable(
  git: RunGit,
  gitDir: string,
  tree: string,
  names: Awaited<ReturnType<typeof findNewNames>>,
  refuse: Refuse,
): Promise<void> {
  const impossible = new Set(names.filter(({ name }) => isImpossibleOnWindows(name)).map(({ change }) => change));
  refuse('unportable-name', 'Windows has no such names', (change) => impossible.has(change));
  const collisions = await findCollisions(git, gitDir, tree, names);
  const others = [...new Set(collisions.values())].slice(0, 5).map((other) => JSON.stringify(other));
  refuse(
    'unportable-name',
    `These names are the same as ${others.join(', ')} where upper and lower case, or the forms of accents, are one`,
    (change) => collisions.has(change),
  );
}

/** Refuses what only git with the repository's own filters could store. A pointer or a file that only moved may stay. */
async function checkFilters(
  git: RunGit,
  gitDir: string,
  { base, tree }: Pick<Export, 'base' | 'tree'>,
  changes: RawChange[],
  refuse: Refuse,
): Promise<void> {
  const before = new Set(changes.map(({ oldBlob }) => oldBlob));
  const written = changes.filter(({ status, newMode, newBlob }) => {
    return status !== 'deleted' && newMode !== symlinkMode && !before.has(newBlob);
  });
  const hasNewRules = changes.some(({ path }) => /(^|\/)\.gitattributes$/i.test(path));
  const filtered = await findFilteredFiles(git, gitDir, hasNewRules ? [base, tree] : [base], written);
  refuse('filtered-file', 'Git stores these files through a filter, which Jig has not', (each) => filtered.has(each));
}

function refuseAny(
  changes: RawChange[],
  code: GitRefusalCode,
  sentence: string,
  isRefused: (change: RawChange) => boolean,
): void {
  const paths = changes.filter(isRefused).map((change) => change.path);
  if (paths.length === 0) return;
  const shown = paths
    .slice(0, 5)
    .map((path) => JSON.stringify(path))
    .join(', ');
  throw new GitRefusal(code, `${sentence}: ${shown}${paths.length > 5 ? ', …' : ''}.`, { paths: paths.slice(0, 20) });
}

/** Checks contents. They are read only after their sizes are known to be small. */
async function checkContents(
  git: RunGit,
  gitDir: string,
  changes: RawChange[],
  files: FileChange[],
  refuse: Refuse,
): Promise<void> {
  const before = new Set(changes.map(({ oldBlob }) => oldBlob));
  const unsafeLinks = new Set<RawChange>();
  const pointers = new Set<RawChange>();
  for (const [index, change] of changes.entries()) {
    const sizeBytes = files[index]?.sizeBytes ?? 0;
    if (change.status === 'deleted' || (change.newMode !== symlinkMode && (sizeBytes === 0 || sizeBytes > 1024)))
      continue;
    const content = (await gitOutput(git, ['cat-file', 'blob', change.newBlob], { gitDir })).toString();
    if (change.newMode === symlinkMode && isUnsafeLink(change.path, content)) unsafeLinks.add(change);
    const isPointer = content.startsWith('version https://git-lfs.github.com/spec/');
    // A pointer that the base has points to content that is there.
    if (change.newMode !== symlinkMode && isPointer && !before.has(change.newBlob)) pointers.add(change);
  }
  refuse('unsafe-symlink', 'These links leave the repository', (change) => unsafeLinks.has(change));
  refuse('lfs-pointer', 'These are pointers to content that stays in the sandbox', (change) => pointers.has(change));
}

/**
 * Whether a path is unsafe: `.git` as other file systems may spell it, `.` and `..`, control characters, or too long
 * names.
 */
export function isUnsafePath(path: string): boolean {
  return path.split('/').some((name) => {
    if (name === '' || name === '.' || name === '..' || Buffer.byteLength(name) > maxNameBytes) return true;
    // This includes format characters: some file systems ignore them in names, and people don't see them.
    if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/u.test(name)) return true;
    return /^(\.git|git~\d+)[ .]*(:.*)?$/i.test(name.normalize('NFKC'));
  });
}

function isSubmodule({ path, oldMode, newMode }: RawChange): boolean {
  return oldMode === submoduleMode || newMode === submoduleMode || /(^|\/)\.gitmodules$/i.test(path);
}

/**
 * Whether a link may lead out of the repository. `..` is allowed only at the start, where the folders above are real
 * folders of the tree. After a name it could go up through another link.
 */
export function isUnsafeLink(path: string, target: string): boolean {
  if (
    target === '' ||
    target.length > 1024 ||
    target.startsWith('/') ||
    /[\p{Cc}\\]/u.test(target) ||
    /^[A-Za-z]:/.test(target)
  )
    return true;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const parents = parts.findIndex((part) => part !== '..');
  const names = parents < 0 ? [] : parts.slice(parents);
  const depth = path.split('/').length - 1;
  return (parents < 0 ? parts.length : parents) > depth || names.some((name) => name === '..' || isUnsafePath(name));
}
