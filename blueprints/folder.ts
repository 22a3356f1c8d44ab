/**
 * A blueprint as a folder: `blueprint.yaml`, and the programs and data that its steps use. This file has the rules for
 * paths and sizes; it touches no disk.
 */
import { z } from 'zod';
import { defaults } from '../base/defaults.ts';
import type { ErrorCode } from '../base/errors.ts';

export const blueprintFileName = 'blueprint.yaml';

/** Any other file of a blueprint's folder, as it travels, is pinned and is put into a sandbox. */
export const BlueprintFile = z.strictObject({
  /** Relative to the folder, with `/`. */
  path: z.string(),
  executable: z.boolean(),
  base64: z.string(),
});
export type BlueprintFile = z.infer<typeof BlueprintFile>;

export interface FolderProblem {
  code: ErrorCode;
  /** The path of the file; empty for the folder as a whole. */
  path: string;
  message: string;
}

const maxPathBytes = 512;
const maxNameBytes = 255;

/**
 * Whether a file in the folder is not part of the blueprint: hidden files, Python's cache, and `cases`, which test the
 * blueprint and never run with it.
 */
export function isLeftOut(path: string): boolean {
  const names = path.split('/');
  return names[0] === 'cases' || names.some((name) => name.startsWith('.') || name === '__pycache__');
}

/** Finds all problems of a folder's files. `blueprint.yaml` is not in `files`. */
export function checkFolder(files: readonly { path: string; sizeBytes: number }[]): FolderProblem[] {
  const problems = files.flatMap(({ path, sizeBytes }) => {
    const message = findPathProblem(path);
    return [...(message === undefined ? [] : [refused(path, message)]), ...checkSize(path, sizeBytes)];
  });
  return [...problems, ...checkTwins(files.map(({ path }) => path)), ...checkTotal(files)];
}

function checkSize(path: string, sizeBytes: number): FolderProblem[] {
  const { maxFileBytes } = defaults.blueprint;
  if (sizeBytes <= maxFileBytes) return [];
  return [tooLarge(path, `${shown(path)} has ${sizeBytes} bytes; a file of a blueprint has at most ${maxFileBytes}`)];
}

function checkTotal(files: readonly { sizeBytes: number }[]): FolderProblem[] {
  const { maxFiles, maxBytes } = defaults.blueprint;
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return [
    ...(files.length + 1 > maxFiles ? [tooManyFiles()] : []),
    ...(bytes > maxBytes
      ? [tooLarge('', `The files of the blueprint have ${bytes} bytes together; at most ${maxBytes} are allowed`)]
      : []),
  ];
}

export function tooManyFiles(): FolderProblem {
  return tooLarge('', `The folder of the blueprint has more than ${defaults.blueprint.maxFiles} files and folders`);
}

/** Finds paths that differ only in upper and lower case, and files that are also folders. */
function checkTwins(paths: string[]): FolderProblem[] {
  const known = new Map([[blueprintFileName, blueprintFileName]]);
  const folders = new Set<string>();
  const problems: FolderProblem[] = [];
  for (const path of paths) {
    const parts = path.split('/').map((_, index, names) => names.slice(0, index + 1).join('/'));
    for (const part of parts) {
      const folded = part.toLowerCase();
      const other = known.get(folded);
      const again = other === part && (part === path || !folders.has(part));
      if (again) problems.push(refused(path, `${shown(part)} is in the folder twice, or is both a file and a folder`));
      else if (other !== undefined && other !== part)
        problems.push(
          refused(
            path,
            `${shown(part)} and ${shown(other)} are the same file on machines that ignore upper and lower case`,
          ),
        );
      known.set(folded, part);
      if (part !== path) folders.add(part);
    }
  }
  return problems;
}

/** Why a path can't be part of a folder; undefined if it can. */
function findPathProblem(path: string): string | undefined {
  if (!path.isWellFormed()) return `the name of ${shown(path)} is not Unicode text`;
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(path)) return `the name of ${shown(path)} contains control characters`;
  if (path.includes('\\')) return `the name of ${shown(path)} contains a backslash`;
  if (path !== path.normalize('NFC')) return `the name of ${shown(path)} is not in Unicode normal form C`;
  const names = path.split('/');
  if (names.includes('')) return `${shown(path)} is not a relative path`;
  // This covers `.`, `..` and `.git`: hidden files are never part of a folder.
  if (names.some((name) => name.startsWith('.'))) return `${shown(path)} has a name that begins with a dot`;
  if (byteLength(path) > maxPathBytes || names.some((name) => byteLength(name) > maxNameBytes))
    return `the path ${shown(path)} is longer than ${maxPathBytes} bytes, or a name in it is longer than ${maxNameBytes}`;
  return undefined;
}

/** A problem with the code `blueprint-file-refused`. */
export function refused(path: string, message: string): FolderProblem {
  return { code: 'blueprint-file-refused', path, message };
}

function tooLarge(path: string, message: string): FolderProblem {
  return { code: 'blueprint-folder-too-large', path, message };
}

/** The path escaped for a message, and never longer than a line. */
export function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;
