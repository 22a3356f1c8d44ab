import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Sandbox, SandboxProvider } from '../../sandbox/contract.ts';
import { createWorld } from './harness.ts';

const blueprint = 'blueprint: v1\nname: unlucky\nsteps:\n  - run: echo hello\n';

/** The local provider, whose commands fail as `fail` says. */
function failing(sandboxes: SandboxProvider, fail: () => never): SandboxProvider {
  return {
    ...sandboxes,
    getSandbox: async (ref): Promise<Sandbox> => ({ ...(await sandboxes.getSandbox(ref)), run: async () => fail() }),
  };
}

async function tries(
  error: Error,
): Promise<{ tried: number; reason: string; code: string | undefined; tookMs: number }> {
  await using world = await createWorld();
  await world.addRepository('acme/api', { 'a.txt': 'a\n' });
  let tried = 0;
  world.parts.sandboxes = failing(world.parts.sandboxes, () => {
    tried += 1;
    throw error;
  });
  const startedAtMs = performance.now();
  const { end } = await world.run(blueprint);
  return { tried, reason: end.reason, code: end.code, tookMs: performance.now() - startedAtMs };
}

test('an activity is not tried again after an error that can’t change', async () => {
  const { tried, reason, code } = await tries(
    Object.assign(new Error("EACCES: permission denied, scandir '/etc/ssl/private'"), { code: 'EACCES' }),
  );
  assert.deepEqual({ tried, code }, { tried: 1, code: 'internal-error' });
  assert.match(reason, /EACCES: permission denied/);
});

test('an activity is tried three times if its error says nothing about the cause', async () => {
  const { tried, code } = await tries(new Error('nobody foresaw this'));
  assert.deepEqual({ tried, code }, { tried: 3, code: 'internal-error' });
});
