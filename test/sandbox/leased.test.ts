import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { leased } from '../../sandbox/leased.ts';
import { createLocalProvider } from '../../sandbox/local/provider.ts';
import { runShell, sandboxSpec, shell, temporaryFolder } from './fixtures.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => await folder[Symbol.asyncDispose]());

/** A provider that tells which sandboxes are renewed. */
function createTold(name: string, leaseMs: number, fails = false) {
  const real = createLocalProvider({ rootDir: `${folder.path}/${name}`, bwrapPath: '', unsafeProcess: true });
  const renewed: string[] = [];
  const errors: string[] = [];
  const told = {
    ...real,
    async renewSandbox(id: string, ms: number) {
      renewed.push(id);
      if (fails) throw new Error('not now');
      return await real.renewSandbox(id, ms);
    },
  };
  return { real, renewed, errors, provider: leased(told, { leaseMs, onError: (id) => errors.push(id) }) };
}

test('using a sandbox renews its lease, once in each part of the lease however many commands there are', async () => {
  const { provider, renewed, real } = createTold('used', 3_600_000);
  const { ref } = await real.ensureSandbox(sandboxSpec('one', { leaseMs: 1000 }));
  for (const key of ['a', 'b', 'c']) await runShell(await provider.getSandbox(ref), key, 'true');
  assert.deepEqual(renewed, ['one']);
  const [listed] = await provider.listSandboxes();
  assert.ok(Date.parse(listed?.leasedUntil ?? '') > Date.now() + 3_500_000);
});

test('the lease of a sandbox that was just made is not renewed', async () => {
  const { provider, renewed } = createTold('made', 3_600_000);
  await runShell(await provider.ensureSandbox(sandboxSpec('one')), 'a', 'true');
  assert.deepEqual(renewed, []);
});

test('a long command renews the lease until it ends', async () => {
  const { provider, renewed } = createTold('long', 400);
  const sandbox = await provider.ensureSandbox(sandboxSpec('one'));
  const running = sandbox.run(shell('long', 'until [ -e go-on ]; do sleep 0.02; done'));
  for (const deadline = Date.now() + 10_000; renewed.length < 4 && Date.now() < deadline;)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(renewed.length >= 4);
  await runShell(sandbox, 'go-on', 'touch go-on');
  await running;
  const count = renewed.length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(renewed.length, count);
});

test('a failed renewal does not disturb the command, and is reported', async () => {
  const { provider, errors, real } = createTold('failing', 3_600_000, true);
  const { ref } = await real.ensureSandbox(sandboxSpec('one'));
  assert.equal((await runShell(await provider.getSandbox(ref), 'a', 'echo fine')).stdout, 'fine\n');
  assert.deepEqual(errors, ['one']);
});
