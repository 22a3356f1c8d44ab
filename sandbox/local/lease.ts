/** Until when a sandbox's folder is needed: a file in it, replaced by rename. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './host-files.ts';

/** Lets the sandbox live for so long from now; repeatable. @returns false where there is no such folder. */
export async function writeLease(folder: string, leaseMs: number): Promise<boolean> {
  const path = join(folder, 'lease');
  const fresh = `${path}.${randomUUID()}`;
  try {
    await writeFile(fresh, new Date(Date.now() + leaseMs).toISOString(), { mode: 0o600 });
    await rename(fresh, path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** ISO 8601; undefined where the sandbox has just gone. */
export async function findLease(folder: string): Promise<string | undefined> {
  return await readFile(join(folder, 'lease'), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}
