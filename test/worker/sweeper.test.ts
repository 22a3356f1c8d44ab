import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, test } from 'vitest';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { keepRemoval } from '../../activities/removed-sandboxes.ts';
import { createFolderStore } from '../../artifacts/folder.ts';
import { ensureBinary } from '../../binaries/ensure-binary.ts';
import { createLocalProvider, type LocalProvider } from '../../sandbox/local/provider.ts';
import { cacheDirOf } from '../../worker/config.ts';
import { sweep } from '../../worker/sweeper.ts';
import { startTemporalServer, type TemporalServer } from '../../worker/temporal-server.ts';
import { sandboxSpec } from '../sandbox/fixtures.ts';

const hourMs = 3_600_000;
const leaseMs = 2 * hourMs;
const log = pino({ level: 'silent' });

let folder = '';
let server: TemporalServer;
let client: Client;
let sandboxes: LocalProvider;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jig-sweeper-'));
  const cacheDir = join(cacheDirOf(process.env), 'binaries');
  server = await startTemporalServer({
    cliPath: await ensureBinary('temporal', { cacheDir, env: process.env }),
    dbFile: join(folder, 'temporal.db'),
    logFile: join(folder, 'temporal.log'),
  });
  client = new Client({ connection: await Connection.connect({ address: server.address }) });
  for (const workflowId of ['running', 'terminated'])
    await client.workflow.start('nobody', { workflowId, taskQueue: 'nobody-polls' });
  await client.workflow.getHandle('terminated').terminate('by a test');
});
afterAll(async () => {
  await client.connection.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

let count = 0;
beforeEach(() => {
  const rootDir = join(folder, `sandboxes-${(count += 1)}`);
  sandboxes = createLocalProvider({ rootDir, bwrapPath: '', unsafeProcess: true });
});

const artifacts = () => createFolderStore({ rootDir: join(folder, 'artifacts') });
const parts = () => ({ sandboxes, artifacts: artifacts(), leaseMs });
const make = async (id: string, changes: Parameters<typeof sandboxSpec>[1] = {}) =>
  await sandboxes.ensureSandbox(sandboxSpec(id, { leaseMs, ...changes }));
const sweepIn = async (ms: number, asked = client) =>
  (await sweep({ parts: parts(), client: asked, log }, Date.now() + ms)).toSorted();
const left = async () => (await sandboxes.listSandboxes()).map(({ id }) => id).toSorted();

test('the sandbox of a run that was terminated or is unknown is removed after a grace time, whatever its lease', async () => {
  await make('of-terminated', { owner: 'terminated' });
  await make('of-unknown', { owner: 'never-was' });
  assert.deepEqual(await sweepIn(60_000), []);
  assert.deepEqual(await sweepIn(180_000), ['of-terminated', 'of-unknown']);
  assert.deepEqual(await left(), []);
});

test('the sandbox of a running run stays, whatever its age, and its lease is renewed', async () => {
  await make('of-running', { owner: 'running', leaseMs: 1000 });
  assert.deepEqual(await sweepIn(30 * 24 * hourMs), []);
  const [listed] = await sandboxes.listSandboxes();
  assert.ok(Date.parse(listed?.leasedUntil ?? '') > Date.now() + leaseMs - 60_000);
});

test('a sandbox without an owner is removed when its lease is over, and not before', async () => {
  await make('of-nobody');
  assert.deepEqual(await sweepIn(hourMs), []);
  await sandboxes.renewSandbox('of-nobody', 4 * hourMs);
  assert.deepEqual(await sweepIn(3 * hourMs), []);
  assert.deepEqual(await sweepIn(5 * hourMs), ['of-nobody']);
});

test('a sandbox that its run tried to remove is removed, even if the run goes on', async () => {
  await make('gate', { owner: 'running' });
  await keepRemoval(artifacts(), 'gate');
  assert.deepEqual(await sweepIn(180_000), ['gate']);
});

test('no sandbox with an owner is removed while Temporal does not answer', async () => {
  const connection = await Connection.connect({ address: server.address });
  const deaf = new Client({ connection });
  await connection.close();
  await make('of-terminated', { owner: 'terminated' });
  await make('of-nobody', { leaseMs: 1000 });
  assert.deepEqual(await sweepIn(24 * hourMs, deaf), ['of-nobody']);
  assert.deepEqual(await left(), ['of-terminated']);
});

test('a sandbox that can’t be removed does not prevent the removal of others', async () => {
  await make('a-stuck', { owner: 'terminated' });
  await make('b-free', { owner: 'terminated' });
  const stuck = {
    ...parts(),
    sandboxes: {
      ...sandboxes,
      async destroySandbox(id: string) {
        if (id === 'a-stuck') throw new Error('it is stuck');
        await sandboxes.destroySandbox(id);
      },
    },
  };
  assert.deepEqual(await sweep({ parts: stuck, client, log }, Date.now() + 180_000), ['b-free']);
});
