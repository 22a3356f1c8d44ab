/** Keeps small artifacts in memory too: a conversation is read again as a whole at each turn. */
import type { ArtifactStore } from './contract.ts';

const maxArtifactBytes = 256 * 1024;
const maxCacheBytes = 16 * 1024 * 1024;

/** What a hash names never changes, so nothing here can be stale. What was read longest ago is let go first. */
export function createCachedStore(store: ArtifactStore): ArtifactStore {
  const cache = new Map<string, Uint8Array>();
  let cacheBytes = 0;

  const remember = (sha256: string, bytes: Uint8Array): void => {
    if (bytes.length > maxArtifactBytes) return;
    cacheBytes += bytes.length - (cache.get(sha256)?.length ?? 0);
    cache.delete(sha256);
    cache.set(sha256, bytes);
    for (const [oldest, { length }] of cache) {
      if (cacheBytes <= maxCacheBytes) return;
      cache.delete(oldest);
      cacheBytes -= length;
    }
  };

  return {
    ...store,

    async put(source, mediaType) {
      const ref = await store.put(source, mediaType);
      if (source instanceof Uint8Array) remember(ref.sha256, Uint8Array.from(source));
      return ref;
    },

    async get(ref, options = {}) {
      const cached = cache.get(ref.sha256);
      const bytes = cached ?? (await store.get(ref, options));
      const isWhole = cached !== undefined || bytes.length === ref.sizeBytes;
      if (isWhole) remember(ref.sha256, bytes);
      return Buffer.from(bytes.subarray(0, options.maxBytes));
    },
  };
}
