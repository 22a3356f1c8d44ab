/** The store for large data, by content hash: a write may be repeated, and a reference never changes meaning. */
import { z } from 'zod';

/** A reference that travels through Temporal in place of the bytes. */
export const ArtifactRef = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.number().int().nonnegative(),
  mediaType: z.string(),
});
export type ArtifactRef = z.infer<typeof ArtifactRef>;

/** A store of bytes by hash and of references by key. Every method is repeatable. */
export interface ArtifactStore {
  /** Stores bytes. `source` is bytes, or the path of a file on the trusted side, which is streamed. Repeatable. */
  put(source: Uint8Array | { path: string }, mediaType: string): Promise<ArtifactRef>;
  /**
   * The bytes, or the first `maxBytes` of them. @throws ArtifactMissing if the store has no such bytes, ArtifactCorrupt
   * if they have another hash
   */
  get(ref: ArtifactRef, options?: { maxBytes?: number }): Promise<Uint8Array>;
  /** The path of a file on the trusted side with the bytes. It must not be changed. */
  path(ref: ArtifactRef): Promise<string>;
  /**
   * The value kept under a key, for activities that must not repeat an effect. A key is kept once: the first write
   * wins.
   */
  findByKey(key: string): Promise<ArtifactRef | undefined>;
  /** Keeps `ref` under `key`, and returns what the first writer kept there. */
  keep(key: string, ref: ArtifactRef): Promise<ArtifactRef>;
}
