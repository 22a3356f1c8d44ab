import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { asideName, freshPrefix, gonePrefix, sandboxFolder } from '../../sandbox/local/layout.ts';
import { createLocalProvider } from '../../sandbox/local/provider.ts';
import { findBwrap, sandboxSpec, shell, temporaryFolder } from './fixtures.ts';

test('a removal that a crash interrupted is finished by the next one: commands are dead and nothing is left', async () => {
  await using root = await temporaryFolder();
  const provider = createLocalProvider({ rootDir: root.path, bwrapPath: await findBwrap() });
  const sandbox = await provider.ensureSandbox(sandboxSpec('half-gone'));
  const started = Promise.withResolvers<void>();
  const lost = assert.rejects(
    sandbox.run(shell('long', 'echo started; exec sleep 600', { timeoutMs: 600_000 }), {
      onOutput: () => started.resolve(),
    }),
    { code: 'sandbox-lost' },
  );
  await started.promise;
  const [folder = ''] = await readdir(root.path);
  const [command = ''] = await readdir(join(root.path, folder, 'commands'));
  const [, first] =
    /"child-pid": ([0-9]+)/.exec(await readFile(join(root.path, folder, 'commands', command, 'status'), 'utf8')) ?? [];
  // What a removal does first, before its worker was killed.
  await rename(join(root.path, folder), join(root.path, asideName(gonePrefix, folder)));
  await provider.destroySandbox('half-gone');
  await lost;
  assert.equal(await readFile(`/proc/${first}/cmdline`, 'utf8').catch(() => ''), '');
  assert.deepEqual(await readdir(root.path), []);
  await provider.close();
});

test('what a killed worker had begun to make is removed when the same sandbox is made or destroyed, and nothing of other sandboxes is', async () => {
  await using root = await temporaryFolder();
  const provider = createLocalProvider({ rootDir: root.path, bwrapPath: await findBwrap() });
  const begin = async (id: string): Promise<void> =>
    void (await mkdir(join(root.path, asideName(freshPrefix, sandboxFolder(root.path, id)), 'workspace'), {
      recursive: true,
    }));
  await begin('half-made');
  await begin('another');
  await provider.ensureSandbox(sandboxSpec('half-made'));
  assert.equal((await readdir(root.path)).length, 2);
  await begin('half-made');
  await provider.destroySandbox('half-made');
  assert.match((await readdir(root.path)).join(), /^\.new-another-[^,]+$/);
  await provider.close();
});
