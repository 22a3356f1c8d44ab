import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/** A blueprint that ships. */
export function readLibrary(name: string): Promise<string> {
  return readFile(join(import.meta.dirname, '..', '..', 'blueprints', 'library', `${name}.yaml`), 'utf8');
}
