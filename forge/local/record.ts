/**
 * A JSON value that several processes change without a lock. Version N+1 is a new file, linked into place, and a link
 * fails if the name exists. So of two writers one wins and the other tries again; a writer that was paused for an hour
 * can't overwrite anything; and what a crash leaves behind disturbs nobody. Old versions stay as a history.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';

export interface JsonRecord<T> {
  find(): Promise<T | undefined>;
  /**
   * Writes what `change` makes of the current value. `change` may be called again. If it returns the current value,
   * nothing is written.
   */
  update(change: (current: T | undefined) => T | Promise<T>): Promise<T>;
}

/** A record in a folder. Each version is checked by the schema. */
export function createRecord<T>(folder: string, schema: z.ZodType<T>): JsonRecord<T> {
  const latest = async (): Promise<{ version: number; value: T | undefined }> => {
    const version = Math.max(0, ...(await readVersions(folder)));
    if (version === 0) return { version, value: undefined };
    return { version, value: schema.parse(JSON.parse(await readFile(join(folder, `${version}.json`), 'utf8'))) };
  };

  return {
    find: async () => (await latest()).value,
    async update(change) {
      for (;;) {
        const { version, value } = await latest();
        const wanted = await change(value);
        if (wanted === value) return wanted;
        if (await writeVersion(folder, version + 1, JSON.stringify(schema.parse(wanted), undefined, 2))) return wanted;
      }
    },
  };
}

async function readVersions(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  return names.filter((name) => /^[1-9][0-9]*\.json$/.test(name)).map((name) => Number.parseInt(name, 10));
}

async function writeVersion(folder: string, version: number, text: string): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${randomUUID()}`);
  try {
    await writeFile(temporary, text);
    await link(temporary, join(folder, `${version}.json`));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
