/** Finds ports for servers that must be given one. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

const lowestPort = 10_000;
/** The lowest port of the usual range for outgoing connections. Linux reports its own. */
const usualLowestOutgoingPort = 32_768;
const rangeFile = '/proc/sys/net/ipv4/ip_local_port_range';

/**
 * Finds a port of 127.0.0.1 on which nothing listens. It is below the ports that the kernel gives to outgoing
 * connections: one of those may be taken again before the server opens it, so a dozen servers and clients on one
 * machine would collide. Another server may still take the port first.
 */
export async function getFreePort(): Promise<number> {
  const lowestOutgoingPort =
    Number.parseInt(await readFile(rangeFile, 'utf8').catch(() => ''), 10) || usualLowestOutgoingPort;
  for (;;) {
    const port = await listen(lowestPort < lowestOutgoingPort ? randomInt(lowestPort, lowestOutgoingPort) : 0);
    if (port !== undefined) return port;
  }
}

/** Listens on a port for a moment. Returns the port; undefined if it is taken. */
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
