// Runs inside a sandbox. It forwards a port of the sandbox's loopback to the egress proxy's socket while it runs the
// command.
// usage: forward.mjs SOCKET_FOLDER PORT WORD...
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';

const [folder, port, program, ...words] = process.argv.slice(2);

/** The sockets of all workers that serve this sandbox, the latest first. A dead worker's socket refuses connections. */
function sockets() {
  const found = readdirSync(folder).map((name) => join(folder, name));
  return found.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
}

function forward(client, [path, ...others]) {
  if (path === undefined) {
    client.destroy();
    return;
  }
  const proxy = connect({ path, allowHalfOpen: true });
  proxy.once('error', () => forward(client, others));
  proxy.once('connect', () => {
    proxy.removeAllListeners('error');
    proxy.on('error', () => client.destroy());
    client.on('error', () => proxy.destroy());
    client.pipe(proxy).pipe(client);
  });
}

const server = createServer({ allowHalfOpen: true }, (client) => {
  client.on('error', () => client.destroy());
  forward(client, sockets());
});
server.listen(Number(port), '127.0.0.1', () => {
  const child = spawn(program, words, { stdio: 'inherit' });
  child.on('error', (error) => {
    process.stderr.write(`${program}: ${error.message}\n`);
    process.exit(127);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
});
