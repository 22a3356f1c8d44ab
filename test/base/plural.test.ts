import assert from 'node:assert/strict';
import { test } from 'vitest';
import { plural } from '../../base/plural.ts';

test('only one of a thing is singular', () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => plural(count, 'file')),
    ['0 files', '1 file', '2 files'],
  );
});
