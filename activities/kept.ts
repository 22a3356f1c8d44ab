/** Keeps JSON in the artifact store: by reference, or by key if an effect must not be repeated. */
import { z } from 'zod';
import type { ArtifactRef, ArtifactStore } from '../artifacts/contract.ts';
import { JigError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';

/** Stores a value as JSON. Repeatable. */
export async function keepJson(store: ArtifactStore, value: unknown): Promise<ArtifactRef> {
  return store.put(Buffer.from(JSON.stringify(value)), 'application/json');
}

/** Loads JSON and checks it. @throws ZodError if the store holds something else */
export async function loadJson<Value>(
  store: ArtifactStore,
  ref: ArtifactRef,
  schema: z.ZodType<Value>,
): Promise<Value> {
  return schema.parse(JSON.parse(Buffer.from(await store.get(ref)).toString()));
}

/**
 * Does the work once for a key. A repeated activity gets the result that the first one kept. A worker that is killed
 * after the effect and before the result is kept loses the result, so `work` must be repeatable, or pass the key on to
 * the system that makes the effect.
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

/** Does the work. If it fails, something is kept, and the error tells the run where. */
export async function keepOnFailure<Value>(
  keep: () => Record<string, ArtifactRef> | Promise<Record<string, ArtifactRef>>,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof JigError) error.kept = await keep();
    throw error;
  }
}

export const AnyJson: z.ZodType<Json> = z.json();
