/** Keeps bundles as files. A file is trusted only if this user wrote it. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Reads a bundle, whose first line is the hash of the other lines. Undefined if it is missing, damaged, or could have
 * been written by another user.
 */
export async function findBundleFile(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    const { uid, mode } = await file.stat();
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined;
    const [, hash, code = ''] = /^\/\/ ([0-9a-f]{64})\n([^]*)$/.exec(await file.readFile('utf8')) ?? [];
    return hash === hashOf(code) ? code : undefined;
  } finally {
    await file.close();
  }
}

/** Writes a bundle, and makes its folder. Readers see the whole file or none. */
export async function writeBundleFile(path: string, code: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, randomUUID());
  await writeFile(temporary, `// ${hashOf(code)}\n${code}`, { mode: 0o600 });
  await rename(temporary, path);
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
