import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBlueprintFolder } from '../../client/read-blueprint.ts';
import type { WrittenBlueprint } from './harness.ts';
import type { Files } from './repository.ts';

/** The files of a folder under test/fixtures. */
export async function readFixture(name: string): Promise<Files> {
  const folder = join(import.meta.dirname, '..', 'fixtures', name);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('__pycache__'));
  return Object.fromEntries(
    await Promise.all(
      files.map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(folder.length + 1), await readFile(path, 'utf8')] as const;
      }),
    ),
  );
}

export const libraryDir = join(import.meta.dirname, '..', '..', 'blueprints', 'library');

/** A blueprint that ships. */
export async function readLibrary(name: string): Promise<WrittenBlueprint> {
  const { bytes, files } = await readBlueprintFolder(join(libraryDir, name));
  return { text: Buffer.from(bytes).toString(), files };
}
