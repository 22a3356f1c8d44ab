import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { copySandbox, restoreSandbox } from '../../activities/sandbox-copies.ts';
import { createFolderStore } from '../../artifacts/folder.ts';
import { SandboxLost } from '../../sandbox/errors.ts';
import { createLocalProvider } from '../../sandbox/local/provider.ts';
import { mebibyte, runShell, sandboxSpec, temporaryFolder } from './fixtures.ts';

const limits = { maxBytes: 64 * mebibyte, ignoredMaxBytes: mebibyte, base: 'HEAD' };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(async () => await folder[Symbol.asyncDispose]());

const createPlaces = () => ({
  sandboxes: createLocalProvider({ rootDir: `${folder.path}/sandboxes`, bwrapPath: '', unsafeProcess: true }),
  artifacts: createFolderStore({ rootDir: `${folder.path}/artifacts` }),
});

test('a copy is made once for a key, and outlives its sandbox', async () => {
  const places = createPlaces();
  const sandbox = await places.sandboxes.ensureSandbox(sandboxSpec('from'));
  await runShell(sandbox, 'make', 'git init -q; echo one >file; mkdir empty');
  const request = { sandbox: sandbox.ref, key: 'run/wait', ...limits };
  const copy = await copySandbox(places, request);
  assert.ok(copy.archive);
  await runShell(sandbox, 'change', 'echo two >file');
  assert.deepEqual(await copySandbox(places, request), copy);
  await places.sandboxes.destroySandbox('from');
  assert.deepEqual(await copySandbox(createPlaces(), request), copy);
  await assert.rejects(copySandbox(places, { ...request, key: 'run/later' }), SandboxLost);

  const fresh = await places.sandboxes.ensureSandbox(sandboxSpec('to'));
  await runShell(fresh, 'make', 'git init -q; echo zero >file; echo gone >gone');
  await restoreSandbox(places, { sandbox: fresh.ref, key: 'run/back', copy });
  assert.equal((await runShell(fresh, 'look', 'cat file; ls')).stdout, 'one\nempty\nfile\n');
  await runShell(fresh, 'go-on', 'echo three >file');
  await restoreSandbox(createPlaces(), { sandbox: fresh.ref, key: 'run/back', copy });
  assert.equal((await runShell(fresh, 'look-again', 'cat file')).stdout, 'three\n');
});

test('if there is no copy, the result says why, and nothing can be restored', async () => {
  const places = createPlaces();
  const sandbox = await places.sandboxes.ensureSandbox(sandboxSpec('large'));
  await runShell(sandbox, 'make', 'head -c 2000000 /dev/urandom >large');
  const request = { sandbox: sandbox.ref, key: 'run/large', ...limits, maxBytes: mebibyte };
  const copy = await copySandbox(places, request);
  assert.equal(copy.archive, undefined);
  assert.match(copy.reason ?? '', /The workspace has \d+ bytes/);
  await assert.rejects(restoreSandbox(places, { sandbox: sandbox.ref, key: 'x', copy }), { code: 'restore-failed' });
});

test('a copy that was damaged on its way does not change the workspace', async () => {
  const places = createPlaces();
  const sandbox = await places.sandboxes.ensureSandbox(sandboxSpec('damaged'));
  await runShell(sandbox, 'make', 'echo here >file');
  const archive = await places.artifacts.put(Buffer.from('no archive'), 'application/gzip');
  const copy = { archive, sizeBytes: 10, ignored: 'kept' as const };
  await assert.rejects(restoreSandbox(places, { sandbox: sandbox.ref, key: 'y', copy }), { code: 'restore-failed' });
  assert.equal((await runShell(sandbox, 'look', 'ls -A; cat file')).stdout, 'file\nhere\n');
});
