import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'vitest';
import { execa } from 'execa';
import { hasEnded, identifySelf } from '../../base/process-identity.ts';

test('a running process has not ended, and one that is gone has', async () => {
  const self = await identifySelf();
  assert.equal(self.pid, process.pid);
  assert.equal(await hasEnded(self), false);
  const gone = execa('true');
  const pid = gone.pid ?? 0;
  await gone;
  assert.equal(await hasEnded({ host: hostname(), pid }), true);
});

test('a later process with the same number counts as another one', async () => {
  assert.equal(await hasEnded({ ...(await identifySelf()), start: 'another boot 1' }), true);
});

test('nothing is known about processes of another machine', async () => {
  assert.equal(await hasEnded({ host: 'another machine', pid: 1, start: 'x' }), false);
});
