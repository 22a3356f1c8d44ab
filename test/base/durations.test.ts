import assert from 'node:assert/strict';
import { test } from 'vitest';
import fc from 'fast-check';
import { formatDuration } from '../../base/durations.ts';

for (const [ms, text] of [
  [0, '0.0 s'],
  [1449, '1.4 s'],
  [9960, '10 s'],
  [119_400, '119 s'],
  [119_600, '2 min 0 s'],
  [239_700, '4 min 0 s'],
  [7_199_700, '2 h 0 min'],
  [7_500_000, '2 h 5 min'],
] as const) {
  test(`${ms} ms are shown as ${text}`, () => assert.equal(formatDuration(ms), text));
}

test('a shown duration never has 60 seconds or 60 minutes beside a larger unit', () => {
  fc.assert(fc.property(fc.nat(100_000_000), (ms) => assert.doesNotMatch(formatDuration(ms), /(min 60 s|h 60 min)/)));
});
