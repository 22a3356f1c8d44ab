/** JSON in the artifact store: by reference, and by key where an effect must not be made twice. */
import { z } from 'zod';
import type { ArtifactRef, ArtifactStore } from '../artifacts/contract.ts';
import type { Json } from '../base/json.ts';

export async function keepJson(store: ArtifactStore, value: unknown): Promise<ArtifactRef> {
  return store.put(Buffer.from(JSON.stringify(value)), 'application/json');
}

/** @throws ZodError where the store holds something else. */
export async function loadJson<Value>(
  store: ArtifactStore,
  ref: ArtifactRef,
  schema: z.ZodType<Value>,
): Promise<Value> {
  return schema.parse(JSON.parse(Buffer.from(await store.get(ref)).toString()));
}

/**
 * Makes an effect's result once for a key: a repeated activity gets what the first one kept. Between the effect and the
 * keeping a killed worker can still lose it, so `work` must be repeatable, or carry the key to who makes the effect.
 */
export async function once<Value>(
  store: ArtifactStore,
  key: string,
  schema: z.ZodType<Value>,
  work: () => Promise<Value>,
): Promise<{ value: Value; ref: ArtifactRef }> {
  const known = await store.findByKey(key);
  if (known) return { value: await loadJson(store, known, schema), ref: known };
  const ref = await store.keep(key, await keepJson(store, await work()));
  return { value: await loadJson(store, ref, schema), ref };
}

export const AnyJson: z.ZodType<Json> = z.json();
