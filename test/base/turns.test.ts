import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from '../../base/turns.ts';

test('work of one key runs in turn, and that of another key does not wait', async () => {
  const turns = createTurns();
  const first = Promise.withResolvers<string>();
  const order: string[] = [];
  const one = turns('a', async () => order.push(await first.promise));
  const two = turns('a', async () => order.push('two'));
  await turns('b', async () => order.push('other'));
  assert.deepEqual(order, ['other']);
  first.resolve('one');
  await Promise.all([one, two]);
  assert.deepEqual(order, ['other', 'one', 'two']);
});

test('work that fails fails for its own caller alone', async () => {
  const turns = createTurns();
  const failing = turns('a', () => Promise.reject(new Error('no')));
  const next = turns('a', async () => 'yes');
  await assert.rejects(failing, { message: 'no' });
  assert.equal(await next, 'yes');
});
