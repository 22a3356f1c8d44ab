/** The steps of a blueprint that may have mistakes, each with its id and its place. */
import type { Outline } from './shape.ts';
import { StepNames } from './steps.ts';

/** An outline with its id. */
export interface NamedOutline extends Outline {
  id: string;
  inner: NamedOutline[];
  /** The blocks around it, the outermost first. */
  around: readonly NamedOutline[];
}

/** Gives every outline the id that `withIds` would give its step. */
export function nameOutlines(outlines: Outline[]): NamedOutline[] {
  const names = new StepNames(flatten(outlines).flatMap(({ id }) => id ?? []));
  const name = (outline: Outline, around: readonly NamedOutline[]): NamedOutline => {
    const id = outline.id ?? (outline.kind ? names.next(outline.kind) : '');
    const named: NamedOutline = { ...outline, id, around, inner: [] };
    const aroundInner = outline.inner.length > 0 ? [...around, named] : around;
    named.inner = outline.inner.map((inner) => name(inner, aroundInner));
    return named;
  };
  return outlines.map((outline) => name(outline, []));
}

/** All outlines, with those inside blocks, in the order of the text. */
export function flatten<T extends { inner: T[] }>(outlines: T[]): T[] {
  return outlines.flatMap((outline) => [outline, ...flatten(outline.inner)]);
}
