/**
 * Which sandboxes their runs have removed. A worker that stood still may make a sandbox after its run removed it: so the
 * removal is kept before it is done, and whoever makes a sandbox looks for it afterwards. One of the two sees the other.
 */
import type { ArtifactStore } from '../artifacts/contract.ts';
import { keepJson } from './kept.ts';

const keyOf = (id: string): string => `removed-sandbox/${id}`;

/** Repeatable. From then on the id is used up. */
export async function keepRemoval(store: ArtifactStore, id: string): Promise<void> {
  await store.keep(keyOf(id), await keepJson(store, { removed: true }));
}

export async function isRemoved(store: ArtifactStore, id: string): Promise<boolean> {
  return (await store.findByKey(keyOf(id))) !== undefined;
}
