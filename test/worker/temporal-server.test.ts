import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { ensureBinary } from '../../binaries/ensure-binary.ts';
import { cacheDirOf } from '../../worker/config.ts';
import { startTemporalServer } from '../../worker/temporal-server.ts';

const scratch = () => mkdtemp(join(tmpdir(), 'jig-temporal-'));
const findCli = () =>
  ensureBinary('temporal', { cacheDir: join(cacheDirOf(process.env), 'binaries'), env: process.env });

/** A program that stands in the server's way `times` times, as one does that took a port of it; then it becomes the server. */
async function inTheWay(folder: string, times: number, port: string): Promise<string> {
  const path = join(folder, 'temporal');
  const tries = join(folder, 'tries');
  await writeFile(
    path,
    `#!/bin/sh\necho try >>'${tries}'\ntest "$(wc -l <'${tries}')" -gt ${times} || set -- server start-dev --ip 127.0.0.1 --port ${port} --headless\nexec '${await findCli()}' "$@"\n`,
    { mode: 0o755 },
  );
  return path;
}

test('if another program takes a port while the server starts, other ports are tried, twice', async () => {
  const folder = await scratch();
  await using other = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const options = { dbFile: join(folder, 'temporal.db'), logFile: join(folder, 'temporal.log') };
  const server = await startTemporalServer({ ...options, cliPath: await inTheWay(folder, 2, String(port)) });
  await server.stop();
  await rm(join(folder, 'tries'));
  await assert.rejects(startTemporalServer({ ...options, port, cliPath: await inTheWay(folder, 0, '') }), {
    code: 'temporal-not-started',
    message: new RegExp(`${port}: .*address already in use; its log is `),
  });
  assert.equal((await readFile(join(folder, 'tries'), 'utf8')).split('\n').length - 1, 3);
  await rm(folder, { recursive: true, force: true });
});

test('if another program takes the port for the web pages, other ports are tried too', async () => {
  const folder = await scratch();
  await using other = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port: uiPort } = other.address() as AddressInfo;
  const options = { dbFile: join(folder, 'temporal.db'), logFile: join(folder, 'temporal.log'), uiPort };
  await assert.rejects(startTemporalServer({ ...options, cliPath: await inTheWay(folder, 0, '') }), {
    code: 'temporal-not-started',
    message: new RegExp(`${uiPort}: .*address already in use.*; its log is `),
  });
  assert.equal((await readFile(join(folder, 'tries'), 'utf8')).split('\n').length - 1, 3);
  await rm(folder, { recursive: true, force: true });
});

test('a server that answers calls but serves no pages has not started yet', async () => {
  const folder = await scratch();
  const cliPath = join(folder, 'temporal');
  await writeFile(cliPath, `#!/bin/sh\nexec '${await findCli()}' "$@" --headless\n`, { mode: 0o755 });
  const options = {
    cliPath,
    dbFile: join(folder, 'temporal.db'),
    logFile: join(folder, 'temporal.log'),
    startTimeoutMs: 3000,
  };
  await assert.rejects(startTemporalServer(options), { code: 'temporal-not-started' });
  await rm(folder, { recursive: true, force: true });
});

test('a server that a killed process left behind is stopped before another one opens its file', async () => {
  const folder = await scratch();
  const cliPath = await findCli();
  const options = { cliPath, dbFile: join(folder, 'temporal.db'), logFile: join(folder, 'temporal.log') };
  const left = await startTemporalServer(options);
  const next = await startTemporalServer(options);
  assert.throws(() => process.kill(left.pid, 0));
  await next.stop();
  await left.stop();
  await rm(folder, { recursive: true, force: true });
});
