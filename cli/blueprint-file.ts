/** A blueprint by its file, or by its name in the library that Jig ships. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { BadInput } from './failure.ts';

const libraryDir = join(import.meta.dirname, '..', 'blueprints', 'library');

/** The bytes of a file, or of standard input for `-`. @throws BadInput `file-unreadable` */
export async function readText(file: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (error) {
    throw new BadInput(
      'file-unreadable',
      `${file} can't be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** The file that a person means; a name without a folder and an ending stands for one of the library. @throws BadInput `blueprint-not-found` */
export async function findBlueprintFile(reference: string): Promise<{ file: string; bytes: Buffer }> {
  if (
    reference === '-' ||
    basename(reference) !== reference ||
    reference.endsWith('.yaml') ||
    reference.endsWith('.yml')
  )
    return { file: reference, bytes: await readText(reference) };
  const file = join(libraryDir, `${reference}.yaml`);
  try {
    return { file, bytes: await readFile(file) };
  } catch (error) {
    const names = (await readdir(libraryDir))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => name.slice(0, -'.yaml'.length));
    throw new BadInput('blueprint-not-found', `There is no blueprint ${reference}`, {
      hint: `The library has: ${names.join(', ')}. A file of your own is named with its ending, such as ./${reference}.yaml.`,
      cause: error,
    });
  }
}

export function recordingFileOf(name: string): string {
  return join(libraryDir, 'recordings', `${name}.json`);
}
