import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { SandboxRefused } from '../../sandbox/errors.ts';
import { getCluster } from '../cluster/cluster.ts';
import { createTestProvider } from '../cluster/provider.ts';
import { runShell, sandboxSpec } from '../sandbox/fixtures.ts';

const cluster = await getCluster();

describe('the network of sandboxes on a real cluster', { skip: cluster.cannotSwitch !== undefined }, () => {
  it('that is open prevents every sandbox, with an error that says so', async () => {
    await using world = await createTestProvider({ network: 'denied' });
    try {
      await cluster.denyNetwork(false);
      await assert.rejects(
        world.provider.ensureSandbox(sandboxSpec('open')),
        (error) =>
          error instanceof SandboxRefused &&
          error.code === 'sandbox-network-open' &&
          /API server/.test(error.message) &&
          /kubelet/.test(error.message),
      );
    } finally {
      await cluster.denyNetwork(true);
    }
    assert.deepEqual(await world.provider.listSandboxes(), []);
    const sandbox = await world.provider.ensureSandbox(sandboxSpec('denied'));
    assert.equal((await runShell(sandbox, 'hello', 'echo hello')).stdout, 'hello\n');
  });
});
