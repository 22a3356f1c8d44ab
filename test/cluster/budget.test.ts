import assert from 'node:assert/strict';
import { subscribe } from 'node:diagnostics_channel';
import { it } from 'vitest';
import { runShell, sandboxSpec } from '../sandbox/fixtures.ts';
import { createTestProvider } from './provider.ts';

const mostRequests = 25;

it(`asks the API server at most ${mostRequests} times for a sandbox, its checkout, ten commands and its removal`, async () => {
  await using world = await createTestProvider();
  let requests = 0;
  for (const channel of ['undici:request:create', 'http.client.request.start'])
    subscribe(channel, () => (requests += 1));
  const { ref } = await world.provider.ensureSandbox(sandboxSpec('counted'));
  for (let count = 0; count <= 10; count += 1)
    await runShell(await world.provider.getSandbox(ref), `command-${count}`, 'true');
  await world.provider.destroySandbox('counted');
  // Whether there was a gate's sandbox is asked in every ending.
  await world.provider.destroySandbox('counted-gate');
  assert.ok(requests >= 13 && requests <= mostRequests, `${requests} requests`);
});
