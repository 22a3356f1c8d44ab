/** The cache of downloads. They are verified when they arrive and again before each use. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { JigError } from '../base/errors.ts';
import type { Pin } from './pins.ts';

/** The program in the cache, if all of its files are there under their hashes. */
export async function findVerified(folder: string, pin: Pin): Promise<string | undefined> {
  for (const { path, sha256 } of pin.files) {
    if ((await findHash(join(folder, path))) !== sha256) return undefined;
  }
  return join(folder, pin.files[0].path);
}

/**
 * Verifies each file of an unpacked download and moves it into the cache; `unpacked` is gone afterwards. If another
 * process was faster, its files are used: they are the same.
 * @throws JigError `binary-corrupt`
 */
export async function install(unpacked: string, folder: string, pin: Pin): Promise<string> {
  try {
    for (const { path, sha256 } of pin.files) {
      const found = await findHash(join(unpacked, path));
      if (found !== sha256)
        throw new JigError(
          'binary-corrupt',
          `${path} has the hash ${found ?? '(no such file)'}, but should have ${sha256}`,
        );
    }
    for (const { path } of pin.files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await chmod(join(unpacked, path), 0o755);
      await rename(join(unpacked, path), join(folder, path));
    }
    return join(folder, pin.files[0].path);
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

/** Makes a folder for one download. It is inside the cache's folder, so that its content can be renamed into place. */
export async function makeTemporaryFolder(cacheDir: string): Promise<string> {
  const folder = join(cacheDir, `.download-${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** The sha256 of a file, read in pieces; undefined if there is no file. */
export async function findHash(path: string): Promise<string | undefined> {
  const there = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!there) return undefined;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
