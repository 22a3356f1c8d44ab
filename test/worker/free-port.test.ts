import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'vitest';
import { getFreePort } from '../../worker/free-port.ts';

test('on a free port nobody listens, and no outgoing connection can take it', async () => {
  await using first = createServer().listen(await getFreePort(), '127.0.0.1');
  await once(first, 'listening');
  const { port: taken } = first.address() as AddressInfo;
  const ports = await Promise.all(Array.from({ length: 50 }, getFreePort));
  const [lowest = 0, highest = 0] = (await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))
    .split(/\s+/)
    .map(Number);
  // A machine may give all of them to outgoing connections.
  const isOutgoing = (port: number): boolean => lowest > 10_000 && port >= lowest && port <= highest;
  for (const port of ports) assert.ok(port !== taken && !isOutgoing(port), String(port));
});
