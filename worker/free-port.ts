/** Ports for servers that must be told theirs. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

const lowestPort = 10_000;
/** Of the kernel's usual range for outgoing connections; Linux says its own. */
const usualLowestOutgoingPort = 32_768;
const rangeFile = '/proc/sys/net/ipv4/ip_local_port_range';

/**
 * A port of 127.0.0.1 on which nobody listens. It lies below those that the kernel gives to outgoing connections, as
 * one of theirs may be gone again before a server opens it: that is how a dozen servers and their clients on one
 * machine come to collide. Another server may still take it first.
 */
export async function getFreePort(): Promise<number> {
  const lowestOutgoingPort =
    Number.parseInt(await readFile(rangeFile, 'utf8').catch(() => ''), 10) || usualLowestOutgoingPort;
  for (;;) {
    const port = await listen(lowestPort < lowestOutgoingPort ? randomInt(lowestPort, lowestOutgoingPort) : 0);
    if (port !== undefined) return port;
  }
}

/** The port on which it was possible to listen; undefined: somebody does already. */
async function listen(port: number): Promise<number | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  return address.port;
}
