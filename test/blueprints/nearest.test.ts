import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { findNearest } from '../../blueprints/nearest.ts';

/** The edit distance, counted in the plain way. */
function distance(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => Math.max(i, j)),
  );
  const at = (i: number, j: number): number => table[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity;
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      (table[i] ?? [])[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swap);
    }
  return at(a.length, b.length);
}

test('the nearest word is the first of the smallest distance, if that is small enough', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 20 });
  fc.assert(
    fc.property(word, fc.array(word, { maxLength: 6 }), (wanted, candidates) => {
      const limit = Math.min(4, Math.max(1, Math.floor(wanted.length / 3)));
      const best = Math.min(...candidates.map((each) => distance(wanted, each)));
      const nearest = best <= limit ? candidates.find((each) => distance(wanted, each) === best) : undefined;
      assert.equal(findNearest(wanted, candidates), nearest);
    }),
    { numRuns: 3000 },
  );
});

test('capitals make no difference', () => {
  assert.equal(findNearest('TIMEOUT', ['env', 'timeout']), 'timeout');
});
