import { createHash } from 'node:crypto';
import { ArtifactMissing } from '../../artifacts/errors.ts';
import type { ArtifactRef, ArtifactStore } from '../../artifacts/contract.ts';

/** An artifact store of one case. */
export function createArtifactsInMemory(): ArtifactStore {
  const texts = new Map<string, Uint8Array>();
  const kept = new Map<string, ArtifactRef>();
  return {
    async put(source, mediaType) {
      if (!(source instanceof Uint8Array)) throw new TypeError('Only bytes are kept in memory');
      const sha256 = createHash('sha256').update(source).digest('hex');
      texts.set(sha256, source);
      return { sha256, sizeBytes: source.length, mediaType };
    },
    async get(ref) {
      const found = texts.get(ref.sha256);
      if (!found) throw new ArtifactMissing(ref.sha256);
      return found;
    },
    async path() {
      throw new TypeError('Nothing in memory has a path');
    },
    findByKey: async (key) => kept.get(key),
    async keep(key, ref) {
      const known = kept.get(key) ?? ref;
      kept.set(key, known);
      return known;
    },
  };
}
