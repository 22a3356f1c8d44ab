/** Reads a blueprint's folder from the disk, and finds everything that can't be part of one. */
import { constants, type Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defaults } from '../base/defaults.ts';
import { JigError } from '../base/errors.ts';
import {
  blueprintFileName,
  checkFolder,
  isLeftOut,
  refused,
  shown,
  tooManyFiles,
  type BlueprintFile,
  type FolderProblem,
} from '../blueprints/folder.ts';
import { maxBlueprintBytes } from '../blueprints/text.ts';

const { maxFiles, maxFileBytes, maxBytes } = defaults.blueprint;
/** `blueprint.yaml` has its own limit. */
const maxReadBytes = maxBytes + maxBlueprintBytes;

/** A blueprint's folder as it was read. */
export interface BlueprintFolder {
  /** Of `blueprint.yaml`. */
  file: string;
  bytes: Uint8Array;
  /** The other files. The list is complete only if there are no problems. */
  files: BlueprintFile[];
  problems: FolderProblem[];
}

/**
 * Reads a folder. It never follows a link, and reads no more than a folder may hold. @throws JigError
 * `blueprint-not-found`, `file-unreadable`
 */
export async function readBlueprintFolder(folder: string): Promise<BlueprintFolder> {
  const reading: Reading = { folder, entries: 0, readBytes: 0, found: [], problems: [] };
  await readFolder(reading, '');
  const { found, problems } = reading;
  const main = found.find(({ path }) => path === blueprintFileName);
  if (!main && problems.every(({ path }) => path !== blueprintFileName))
    throw new JigError('blueprint-not-found', `${folder} holds no ${blueprintFileName}`, {
      hint: `A blueprint is a folder with a ${blueprintFileName} in it, or one YAML file.`,
    });
  const beside = found.filter((each) => each !== main);
  return {
    file: join(folder, blueprintFileName),
    bytes: main?.bytes ?? new Uint8Array(),
    files: beside.map(({ path, executable, bytes }) => ({ path, executable, base64: bytes.toString('base64') })),
    problems: [...problems, ...checkFolder(beside)],
  };
}

interface Reading {
  folder: string;
  /** Files and folders seen so far. */
  entries: number;
  readBytes: number;
  found: { path: string; executable: boolean; sizeBytes: number; bytes: Buffer }[];
  problems: FolderProblem[];
}

async function readFolder(reading: Reading, below: string): Promise<void> {
  for (const entry of await listFolder(reading, below)) {
    const name = entry.name.toString();
    const path = below === '' ? name : `${below}/${name}`;
    if (isLeftOut(path)) continue;
    reading.entries += 1;
    if (reading.entries > maxFiles) {
      if (reading.entries === maxFiles + 1) reading.problems.push(tooManyFiles());
      return;
    }
    if (!Buffer.from(name).equals(entry.name))
      reading.problems.push(refused(path, `the name of ${shown(path)} is not UTF-8`));
    else if (entry.isDirectory()) await readFolder(reading, path);
    else if (entry.isFile()) await readFile(reading, path);
    else {
      const kind = entry.isSymbolicLink() ? 'a symbolic link' : 'a device, a pipe or a socket';
      reading.problems.push(
        refused(path, `${shown(path)} is ${kind}; a blueprint's folder may hold only regular files`),
      );
    }
  }
}

async function listFolder({ folder, problems }: Reading, below: string): Promise<Dirent<NonSharedBuffer>[]> {
  try {
    const entries = await readdir(join(folder, below), { withFileTypes: true, encoding: 'buffer' });
    return entries.toSorted((a, b) => Buffer.compare(a.name, b.name));
  } catch (error) {
    if (below === '')
      throw new JigError('file-unreadable', `${folder} can't be read: ${reasonOf(error)}`, { cause: error });
    problems.push(refused(below, `${shown(below)} can't be read: ${reasonOf(error)}`));
    return [];
  }
}

/** Reads a file, which may meanwhile have become a link, or a pipe that nobody writes to. */
async function readFile(reading: Reading, path: string): Promise<void> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using file = await open(join(reading.folder, path), flags);
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('it is not a regular file');
    const { mode, size: sizeBytes } = stat;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wantedBytes(reading, path, sizeBytes)), { position: 0 });
    reading.readBytes += bytesRead;
    const executable = (mode & constants.S_IXUSR) !== 0;
    reading.found.push({ path, executable, sizeBytes, bytes: buffer.subarray(0, bytesRead) });
  } catch (error) {
    reading.problems.push(refused(path, `${shown(path)} can't be read: ${reasonOf(error)}`));
  }
}

/**
 * How many bytes to read: none of a file that is too large, and of `blueprint.yaml` enough to see that it is too large.
 */
function wantedBytes({ readBytes }: Reading, path: string, sizeBytes: number): number {
  if (path === blueprintFileName) return Math.min(sizeBytes, maxBlueprintBytes + 1);
  return sizeBytes <= maxFileBytes && readBytes + sizeBytes <= maxReadBytes ? sizeBytes : 0;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
