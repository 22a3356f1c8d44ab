import assert from 'node:assert/strict';
import { test } from 'vitest';
import { createLimitByKey } from '../../base/limits.ts';

test('work of one key runs one after the other, and that of another key does not wait', async () => {
  const limit = createLimitByKey(1);
  const first = Promise.withResolvers<string>();
  const order: string[] = [];
  const one = limit('a', async () => order.push(await first.promise));
  const two = limit('a', async () => order.push('two'));
  await limit('b', async () => order.push('other'));
  assert.deepEqual(order, ['other']);
  first.resolve('one');
  await Promise.all([one, two]);
  assert.deepEqual(order, ['other', 'one', 'two']);
});

test('work that fails fails for its own caller alone', async () => {
  const limit = createLimitByKey(1);
  const failing = limit('a', () => Promise.reject(new Error('no')));
  const next = limit('a', async () => 'yes');
  await assert.rejects(failing, { message: 'no' });
  assert.equal(await next, 'yes');
});

test('no more work of one key goes on at once than was allowed, also after a time without any', async () => {
  const limit = createLimitByKey(3);
  let active = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++active);
    await new Promise((resolve) => setImmediate(resolve));
    active -= 1;
  };
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 20 }, async () => limit('a', work)));
    assert.equal(most, 3);
    most = 0;
  }
});
