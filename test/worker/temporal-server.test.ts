import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureBinary } from '../../binaries/ensure-binary.ts';
import { cacheDirOf } from '../../worker/config.ts';
import { startTemporalServer } from '../../worker/temporal-server.ts';

test('a server that a killed process left behind is stopped before another one opens its file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jig-temporal-'));
  const cliPath = await ensureBinary('temporal', { cacheDir: join(cacheDirOf(process.env), 'binaries'), env: process.env });
  const options = { cliPath, dbFile: join(folder, 'temporal.db'), logFile: join(folder, 'temporal.log') };
  const left = await startTemporalServer(options);
  const next = await startTemporalServer(options);
  assert.throws(() => process.kill(left.pid, 0));
  await next.stop();
  await left.stop();
  await rm(folder, { recursive: true, force: true });
});
