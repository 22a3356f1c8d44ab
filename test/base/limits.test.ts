import assert from 'node:assert/strict';
import { test } from 'vitest';
import { createLimitByKey } from '../../base/limits.ts';

test('work of one key runs in order, and does not delay the work of other keys', async () => {
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

test('a failure reaches only the caller of the work that failed', async () => {
  const limit = createLimitByKey(1);
  const failing = limit('a', () => Promise.reject(new Error('no')));
  const next = limit('a', async () => 'yes');
  await assert.rejects(failing, { message: 'no' });
  assert.equal(await next, 'yes');
});

test('the limit on simultaneous work of a key also holds after a pause', async () => {
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
