import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../base/json.ts';
import { fromPages, toPages } from '../../workflows/large-values.ts';

/** What a page becomes on its way through Temporal and the store: JSON as UTF-8, and back. */
const onItsWay = (page: string): Json => JSON.parse(Buffer.from(JSON.stringify(page)).toString());

/** Characters that JSON escapes, that take several bytes, and halves of characters. */
const anyText = fc.array(
  fc.constantFrom('a', '"', '\\', '\n', '\u0000', 'é', '語', '😀', '\ud83d', '\ude00', '\u2028'),
  {
    maxLength: 50,
  },
);

test('a value of any size and any characters comes back from its pages as it was', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 3 }), (part, times, before) => {
      const value = {
        [part.join('')]: ['x'.repeat(before), part.join('').repeat(Math.ceil(times / (part.length + 1)))],
      };
      const pages = toPages(JSON.stringify(value));
      expect(fromPages(pages.map(onItsWay))).toEqual(value);
    }),
    { numRuns: 300 },
  );
});

test('a page never comes near the size that Temporal allows, whatever its characters', () => {
  for (const character of ['a', '"', '\\', '\u0000', '語', '😀', '\ud83d']) {
    const pages = toPages(JSON.stringify(character.repeat(300_000)));
    assert.ok(pages.length > 1);
    for (const page of pages) assert.ok(Buffer.byteLength(JSON.stringify(page)) < 1_500_000, JSON.stringify(character));
  }
});

test('pages that are lost, mixed up or no texts are refused', () => {
  const pages = toPages(JSON.stringify({ a: 'x'.repeat(500_000), b: 1 }));
  assert.equal(pages.length, 3);
  const [first = '', second = '', third = ''] = pages;
  for (const wrong of [[], [first, second], [second, third], [third, first, second], [first, 7, third], [null]])
    assert.throws(() => fromPages(wrong));
});
