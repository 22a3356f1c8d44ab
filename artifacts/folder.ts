/** Artifacts in a folder: `sha256/ab/cd…` holds the bytes, `keys/ab/cd….json` holds what a key keeps. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ArtifactRef, type ArtifactStore } from './contract.ts';
import { ArtifactCorrupt, ArtifactMissing } from './errors.ts';

const KeptRef = z.strictObject({ key: z.string(), ref: ArtifactRef });

/** The folder for files that are still being written. */
export const incomingFolder = (rootDir: string): string => join(rootDir, 'incoming');

/** A store that any number of processes on one machine may share: every write is a rename or a link. */
export function createFolderStore({ rootDir }: { rootDir: string }): ArtifactStore {
  const pathOf = (sha256: string) => join(rootDir, 'sha256', sha256.slice(0, 2), sha256.slice(2));
  const keyPathOf = (key: string) => {
    const hash = createHash('sha256').update(key).digest('hex');
    return join(rootDir, 'keys', hash.slice(0, 2), `${hash.slice(2)}.json`);
  };

  const temporaryPath = () => join(incomingFolder(rootDir), randomUUID());

  const findByKey = async (key: string) => {
    const text = await readFile(keyPathOf(key), 'utf8').catch(unlessMissing);
    return text === undefined ? undefined : KeptRef.parse(JSON.parse(text)).ref;
  };

  return {
    findByKey,

    async put(source, mediaType) {
      const temporary = temporaryPath();
      try {
        const { sha256, sizeBytes } = await inFolder(dirname(temporary), () => writeHashed(source, temporary));
        await inFolder(dirname(pathOf(sha256)), () => rename(temporary, pathOf(sha256)));
        return { sha256, sizeBytes, mediaType };
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },

    get: ({ sha256 }, { maxBytes = Number.POSITIVE_INFINITY } = {}) => readHashed(pathOf(sha256), sha256, maxBytes),

    async path({ sha256, sizeBytes }) {
      const found = await stat(pathOf(sha256)).catch(unlessMissing);
      if (!found) throw new ArtifactMissing(sha256);
      if (found.size !== sizeBytes) throw new ArtifactCorrupt(sha256, `${found.size} bytes instead of ${sizeBytes}`);
      return pathOf(sha256);
    },

    async keep(key, ref) {
      const temporary = temporaryPath();
      const text = JSON.stringify(KeptRef.parse({ key, ref }));
      await inFolder(dirname(temporary), () => writeFile(temporary, text));
      try {
        // A link fails if the name exists, so the first writer wins, even if others write at the same moment.
        await inFolder(dirname(keyPathOf(key)), () => link(temporary, keyPathOf(key)));
        return ref;
      } catch (error) {
        const kept = await findByKey(key);
        if (!kept) throw error;
        return kept;
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}

/** Does the work, and makes its folder if that is missing, which is rare. */
async function inFolder<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isMissing(error)) throw error;
    await mkdir(folder, { recursive: true });
    return work();
  }
}

/** Reads the whole file to check its hash, and returns its first bytes. */
async function readHashed(path: string, sha256: string, maxBytes: number): Promise<Uint8Array> {
  const hash = createHash('sha256');
  const kept: Uint8Array[] = [];
  let keptBytes = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      if (keptBytes >= maxBytes) continue;
      kept.push(chunk.subarray(0, maxBytes - keptBytes));
      keptBytes += kept.at(-1)?.length ?? 0;
    }
  } catch (error) {
    throw isMissing(error) ? new ArtifactMissing(sha256, error) : error;
  }
  const found = hash.digest('hex');
  if (found !== sha256) throw new ArtifactCorrupt(sha256, `their hash is ${found}`);
  return Buffer.concat(kept);
}

async function writeHashed(source: Uint8Array | { path: string }, destination: string) {
  const hash = createHash('sha256');
  if (source instanceof Uint8Array) {
    await writeFile(destination, source, { mode: 0o444 });
    return { sha256: hash.update(source).digest('hex'), sizeBytes: source.length };
  }
  let sizeBytes = 0;
  await pipeline(
    createReadStream(source.path),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(destination, { mode: 0o444 }),
  );
  return { sha256: hash.digest('hex'), sizeBytes };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
