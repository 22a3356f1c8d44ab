/** The lease of a sandbox's folder: a file in it, replaced by rename, that says until when it is needed. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './host-files.ts';

/** Lets the sandbox live for `leaseMs` from now. Repeatable. @returns false if there is no such folder */
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

/** The end of the lease as ISO 8601; undefined if the sandbox is gone. */
export async function findLease(folder: string): Promise<string | undefined> {
  return await readFile(join(folder, 'lease'), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}
