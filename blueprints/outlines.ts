/** Steps of a blueprint that may be wrong in places, each with its id and its place. */
import type { Outline } from './shape.ts';
import { StepNames } from './steps.ts';

export interface NamedOutline extends Outline {
  id: string;
  inner: NamedOutline[];
  /** The ids of the `each` steps that it stands in, from the outermost. */
  around: readonly string[];
}

/** Gives every outline the id that `withIds` would give its step. */
export function nameOutlines(outlines: Outline[]): NamedOutline[] {
  const names = new StepNames(flatten(outlines).flatMap(({ id }) => id ?? []));
  const name = (outline: Outline, around: readonly string[]): NamedOutline => {
    const id = outline.id ?? (outline.kind ? names.next(outline.kind) : '');
    return { ...outline, id, around, inner: outline.inner.map((inner) => name(inner, [...around, id])) };
  };
  return outlines.map((outline) => name(outline, []));
}

/** Every outline with those inside of it, in the order of the text. */
export function flatten<T extends { inner: T[] }>(outlines: T[]): T[] {
  return outlines.flatMap((outline) => [outline, ...flatten(outline.inner)]);
}
