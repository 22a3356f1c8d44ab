/**
 * A lock between processes: a file that names its owner. It survives a crash, so the lock of a dead owner is broken.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { hasEnded, identifySelf, ProcessIdentity } from './process-identity.ts';

const Owner = ProcessIdentity.extend({ id: z.string() });

/** Longer than any work under a lock. Whether an owner on another machine lives can't be checked. */
const maxAgeMs = 3600_000;

/**
 * Runs `work` while no other caller, here or in another process, holds the lock at `path`. `broken` tells the work that
 * the last owner died during its own.
 */
export async function withLock<T>(
  path: string,
  work: (state: { broken: boolean }) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const id = randomUUID();
  const claim = `${path}.${id}`;
  await writeFile(claim, JSON.stringify({ ...(await identifySelf()), id }));
  let broken = false;
  try {
    while (!(await isLinked(claim, path))) {
      if (await breakStale(path)) broken = true;
      else await delay(10 + Math.random() * 40, undefined, { signal });
    }
  } finally {
    await rm(claim, { force: true });
  }
  try {
    return await work({ broken });
  } finally {
    await rm(path, { force: true });
  }
}

async function isLinked(claim: string, path: string): Promise<boolean> {
  try {
    await link(claim, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function breakStale(path: string): Promise<boolean> {
  const seen = await readLock(path);
  if (!seen?.stale) return false;
  // The lock is renamed, so that only one of many waiting callers breaks it. It is put back if it is meanwhile a new
  // owner's.
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return false;
  }
  const taken = await readFile(aside, 'utf8');
  if (taken !== seen.text) await isLinked(aside, path);
  await rm(aside, { force: true });
  return taken === seen.text;
}

async function readLock(path: string): Promise<{ text: string; stale: boolean } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const owner = Owner.parse(JSON.parse(text));
    return { text, stale: (await hasEnded(owner)) || Date.now() - mtimeMs > maxAgeMs };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
