/**
 * The way out of sandboxes: one HTTP proxy for each process, without a port. Each sandbox has its own socket file, and
 * the file by which a connection came tells which sandbox it is from. Nothing that is sent over the connection can
 * change that.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { appendFile, open as openFolder, readFile } from 'node:fs/promises';
import type { lookup } from 'node:dns';
import type { LookupFunction, Socket } from 'node:net';
import { createServer, type Server as SocketServer } from 'node:net';
import { RequestError, Server as ProxyServer } from 'proxy-chain';
import { EgressRefusal } from './contract.ts';
import { checkTarget, resolveTarget, type EgressRule, type ResolvedAddress } from './egress-policy.ts';

/** How many refusals of one sandbox a process keeps. Equal ones are kept once. */
const maxRefusals = 500;

interface Client {
  rules: EgressRule[];
  refuse(host: string, port: number, reason: string): Promise<never>;
}

export interface EgressProxy {
  /** Opens a socket in `socketFolder` for a sandbox with these rules. Its refusals are appended to `logFile`. */
  serve(sandbox: {
    socketFolder: string;
    logFile: string;
    rules: EgressRule[];
  }): Promise<{ close: () => Promise<void> }>;
}

/** Makes the proxy. @param env the worker's environment; connections go on through its HTTPS_PROXY, if set */
export function createEgressProxy(env: Record<string, string | undefined>): EgressProxy {
  const clients = new WeakMap<Socket, Client>();
  const upstream = env['HTTPS_PROXY'] ?? env['https_proxy'] ?? env['HTTP_PROXY'] ?? env['http_proxy'];
  const proxy = new ProxyServer({
    prepareRequestFunction: async ({ request, hostname, port }) => {
      const client = clients.get(request.socket);
      if (!client) throw new RequestError('Unknown client', 403);
      const trick = findTrick(request.method, request.url ?? '', request.headers.host);
      if (trick) return await client.refuse(hostname, port, trick);
      const decision = checkTarget(hostname, port, client.rules);
      if (!decision.allowed) return await client.refuse(hostname, port, decision.reason);
      const addresses = await resolveTarget(hostname, decision.rule);
      const resolved = !('reason' in addresses);
      if (upstream && !decision.rule.configured && (resolved || addresses.reason === 'the name does not resolve'))
        return { upstreamProxyUrl: upstream };
      if (!resolved) return await client.refuse(hostname, port, addresses.reason);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's own type of a resolver; the proxy asks for the type of the one function that also has a promise form.
      return { dnsLookup: lookUpOnly(addresses) as typeof lookup };
    },
  });

  return {
    async serve({ socketFolder, logFile, rules }) {
      const client = { rules, refuse: createRefusal(logFile) };
      const open = new Set<Socket>();
      const server = createServer((socket) => {
        open.add(socket.on('close', () => open.delete(socket)));
        clients.set(socket, client);
        // The proxy drops connections without an address, and those of a socket file have none.
        Object.defineProperty(socket, 'remoteAddress', { value: '127.0.0.1' });
        proxy.server.emit('connection', socket);
      });
      server.maxConnections = 256;
      server.unref();
      const folder = await openFolder(socketFolder, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await listen(server, `/proc/self/fd/${folder.fd}/${randomUUID().slice(0, 8)}.sock`);
      } catch (error) {
        await folder.close();
        throw error;
      }
      return {
        close: async () => {
          for (const socket of open) socket.destroy();
          await new Promise<void>((resolve) => server.close(() => resolve()));
          await folder.close();
        },
      };
    },
  };
}

/**
 * Listens on a socket file. Its path may have at most 107 bytes, and a data folder's can be longer, so the path goes
 * through the open folder.
 */
async function listen(server: SocketServer, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}

/**
 * Finds a trick in a request by which two readers could understand two different targets; undefined if there is none.
 */
function findTrick(method: string | undefined, url: string, hostHeader: string | undefined): string | undefined {
  if (method === 'CONNECT')
    return /^[A-Za-z0-9.[\]:-]+:[0-9]{1,5}$/.test(url) ? undefined : 'not a plain host and port';
  const target = /^http:\/\/([A-Za-z0-9.[\]:-]+)(?:[/?]|$)/.exec(url)?.[1];
  if (target === undefined) return 'not a plain address';
  return hostHeader === undefined || hostHeader.toLowerCase() === target.toLowerCase()
    ? undefined
    : 'the Host header names another host';
}

/** A resolver that knows only the checked addresses, so that a second answer of the name server doesn't matter. */
function lookUpOnly(addresses: ResolvedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const wanted = addresses.filter(
      ({ family }) => !options.family || options.family === family || options.family === `IPv${family}`,
    );
    const [first] = wanted;
    if (!first) callback(new Error('no checked address of this family'), '', 4);
    else if (options.all) callback(null, wanted);
    else callback(null, first.address, first.family);
  };
}

function createRefusal(logFile: string): Client['refuse'] {
  const known = new Set<string>();
  return async (host, port, reason) => {
    const refusal: EgressRefusal = { at: new Date().toISOString(), host: host.slice(0, 253), port, reason };
    const key = `${refusal.host}:${port}:${reason}`;
    if (!known.has(key) && known.size < maxRefusals) {
      known.add(key);
      // The sandbox and its log may be gone by now. The request is refused anyway.
      await appendFile(logFile, `${JSON.stringify(refusal)}\n`, { mode: 0o600 }).catch(() => undefined);
    }
    throw new RequestError(`Refused by the sandbox's egress rules: ${reason}`, 403);
  };
}

/** The refusals of a sandbox, oldest first. */
export async function readRefusals(logFile: string): Promise<EgressRefusal[]> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => EgressRefusal.parse(JSON.parse(line)));
}
