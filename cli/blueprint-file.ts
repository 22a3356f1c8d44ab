/** Finds a blueprint by its folder, by its file, or by its name in the library that Jig ships. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { checkBlueprint } from '../blueprints/check.ts';
import type { Issue } from '../blueprints/issues.ts';
import { renderIssues } from '../blueprints/render-issues.ts';
import type { Blueprint } from '../blueprints/schema.ts';
import { maxBlueprintBytes } from '../blueprints/text.ts';
import { readBlueprintFolder, type BlueprintFolder } from '../client/read-blueprint.ts';
import { BadInput } from './failure.ts';

const libraryDir = join(import.meta.dirname, '..', 'blueprints', 'library');

/**
 * Reads a folder, a single file, or standard input for `-`. @throws BadInput `file-unreadable`, JigError
 * `blueprint-not-found`
 */
export async function readBlueprint(path: string): Promise<BlueprintFolder> {
  const isFolder = path !== '-' && (await stat(path).catch(() => undefined))?.isDirectory() === true;
  return isFolder
    ? await readBlueprintFolder(path)
    : { file: path, bytes: await readBytes(path), files: [], problems: [] };
}

/** Reads no more than is needed to see that it is too much, also of what never ends. */
async function readBytes(file: string): Promise<Uint8Array> {
  try {
    if (file !== '-' && (await stat(file)).isCharacterDevice()) throw new Error('it is a device');
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const source: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file);
    for await (const chunk of source) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > maxBlueprintBytes) break;
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw new BadInput(
      'file-unreadable',
      `${file} can't be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/**
 * Finds the blueprint that a person means. A name without a folder and an extension is one of the library. @throws
 * BadInput `blueprint-not-found`
 */
export async function findBlueprint(reference: string): Promise<BlueprintFolder> {
  const isPath = basename(reference) !== reference || /^-$|^\.|\.ya?ml$/.test(reference);
  if (isPath) return await readBlueprint(reference);
  const names = await listLibrary();
  if (names.includes(reference)) return await readBlueprint(join(libraryDir, reference));
  throw new BadInput('blueprint-not-found', `There is no blueprint ${reference}`, {
    hint: `The library has: ${names.join(', ')}. Name a blueprint of your own by its path, such as ./${reference} or ./${reference}.yaml.`,
  });
}

async function listLibrary(): Promise<string[]> {
  const entries = await readdir(libraryDir, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

interface Checked {
  text: string;
  /** Set if there are no problems. */
  blueprint: Blueprint | undefined;
  issues: Issue[];
  /** What the blueprint can run with all the same. */
  warnings: Issue[];
  render: (issues: Issue[], options: { colors: boolean }) => string;
}

/** Finds all problems of a blueprint: those of its files, and those of its text. */
export function checkFound({ file, bytes, problems }: BlueprintFolder): Checked {
  const text = Buffer.from(bytes).toString();
  const { blueprint, issues: ofText, warnings } = checkBlueprint(bytes, { file });
  const ofFiles = problems.map(({ path, ...problem }): Issue => ({
    ...problem,
    file: join(file, '..', path),
    line: 1,
    column: 1,
    path: '',
  }));
  const issues = [...ofFiles, ...ofText];
  return {
    text,
    blueprint: issues.length === 0 ? blueprint : undefined,
    issues,
    warnings,
    render: (shown, { colors }) => renderIssues(text, shown, { colors, file }),
  };
}

/** The path of the recorded session of a blueprint of the library. */
export function recordingFileOf(name: string): string {
  return join(libraryDir, name, 'cases', 'recording.json');
}
