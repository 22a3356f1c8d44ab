/** The store for what is large: by content hash, so that a write may be repeated and a reference never changes. */
import { z } from 'zod';

/** A reference that travels through Temporal in place of the bytes. */
export const ArtifactRef = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.number().int().nonnegative(),
  mediaType: z.string(),
});
export type ArtifactRef = z.infer<typeof ArtifactRef>;

export interface ArtifactStore {
  /** Stores bytes; repeatable. `source` is bytes or the path of a file on the trusted side (streamed, not read whole). */
  put(source: Uint8Array | { path: string }, mediaType: string): Promise<ArtifactRef>;
  /** The bytes, or the first `maxBytes` of them. @throws ArtifactMissing where the store has no such bytes, ArtifactCorrupt where their hash is another. */
  get(ref: ArtifactRef, options?: { maxBytes?: number }): Promise<Uint8Array>;
  /** A file on the trusted side with the bytes, for reading only. */
  path(ref: ArtifactRef): Promise<string>;
  /** The value kept under a key (a key is kept once: the first write wins), for activities that must not repeat an effect. */
  findByKey(key: string): Promise<ArtifactRef | undefined>;
  /** Keeps `ref` under `key` and returns what the key holds now: the first writer's. */
  keep(key: string, ref: ArtifactRef): Promise<ArtifactRef>;
}
