/** Keeps small artifacts in memory too: a conversation is read again as a whole at each turn. */
import { LRUCache } from 'lru-cache';
import type { ArtifactStore } from './contract.ts';

const maxArtifactBytes = 256 * 1024;
const maxCacheBytes = 16 * 1024 * 1024;

/** What a hash names never changes, so nothing here can be stale. What was read longest ago is dropped first. */
export function createCachedStore(store: ArtifactStore): ArtifactStore {
  const cache = new LRUCache<string, Uint8Array>({
    maxSize: maxCacheBytes,
    maxEntrySize: maxArtifactBytes,
    // The library takes no entry without a size.
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
