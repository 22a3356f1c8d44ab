/**
 * Keeps which sandboxes were removed by their runs. A worker that stalled may make a sandbox after its run removed it.
 * So the removal is recorded before it is done, and every maker looks for the record after it has made the sandbox. One
 * of the two always sees the other.
 */
import type { ArtifactStore } from '../artifacts/contract.ts';
import { keepJson } from './kept.ts';

const keyOf = (id: string): string => `removed-sandbox/${id}`;

/** Records that a sandbox is removed; its id can't be used again. Repeatable. */
export async function keepRemoval(store: ArtifactStore, id: string): Promise<void> {
  await store.keep(keyOf(id), await keepJson(store, { removed: true }));
}

/** Whether {@link keepRemoval} was called for this id. */
export async function isRemoved(store: ArtifactStore, id: string): Promise<boolean> {
  return (await store.findByKey(keyOf(id))) !== undefined;
}
