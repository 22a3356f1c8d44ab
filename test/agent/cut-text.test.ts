import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { cutText } from '../../agent/cut-text.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 2000 });

test('a text within the limit stays as it is', () => {
  assert.equal(cutText('short', 5), 'short');
});

test('a cut text is never longer than the limit, whatever the hint', () => {
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 0, max: 1500 }),
      fc.string({ maxLength: 50 }),
      (whole, maxChars, hint) => cutText(whole, maxChars, hint).length <= maxChars,
    ),
  );
});

test('a cut text keeps the beginning and the end of the whole', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 400, maxLength: 2000 }), (whole) => {
      const cut = cutText(whole, 300);
      const [head = '', tail = ''] = cut.split(/\n\[… .* …\]\n/s);
      assert(head.length >= 100 && whole.startsWith(head));
      assert(tail.length >= 100 && whole.endsWith(tail));
    }),
  );
});

test('a cut never splits a surrogate pair', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('😀', 'a', '𝒳'), maxLength: 600 }),
      fc.integer({ min: 0, max: 500 }),
      (whole, maxChars) => cutText(whole, maxChars).isWellFormed(),
    ),
  );
});

test('a cut says how much is missing and how to get it', () => {
  assert.match(
    cutText('x'.repeat(20_000), 10_000, "sed -n '200,300p' out.txt"),
    /10000\+ of 20000 characters left out; sed -n '200,300p' out\.txt/,
  );
});
