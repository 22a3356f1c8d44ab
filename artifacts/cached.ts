/** Keeps small artifacts in memory too, since every turn reads the whole conversation again. */
import { LRUCache } from 'lru-cache';
import type { ArtifactStore } from './contract.ts';

const maxArtifactBytes = 256 * 1024;
const maxCacheBytes = 16 * 1024 * 1024;

/**
 * A store with a cache. What a hash names never changes, so nothing cached can be stale. The least recently read is
 * dropped first.
 */
export function createCachedStore(store: ArtifactStore): ArtifactStore {
  const cache = new LRUCache<string, Uint8Array>({
    maxSize: maxCacheBytes,
    maxEntrySize: maxArtifactBytes,
    // The library refuses an entry of size 0.
    sizeCalculation: ({ length }) => Math.max(length, 1),
  });

  return {
    ...store,

    async put(source, mediaType) {
      const ref = await store.put(source, mediaType);
      if (source instanceof Uint8Array) cache.set(ref.sha256, Uint8Array.from(source));
      return ref;
    },

    async get(ref, options = {}) {
      const cached = cache.get(ref.sha256);
      const bytes = cached ?? (await store.get(ref, options));
      if (!cached && bytes.length === ref.sizeBytes) cache.set(ref.sha256, bytes);
      return Buffer.from(bytes.subarray(0, options.maxBytes));
    },
  };
}
