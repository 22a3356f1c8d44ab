import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import * as fc from 'fast-check';
import { createFolderStore } from '../../artifacts/folder.ts';

const folder = await mkdtemp(join(tmpdir(), 'jig-artifacts-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const store = createFolderStore({ rootDir: join(folder, 'store') });
const bytes = (text: string) => new TextEncoder().encode(text);

test('an artifact comes back as it was stored, whatever its bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (value) => {
      const ref = await store.put(value, 'application/octet-stream');
      assert.equal(ref.sha256, createHash('sha256').update(value).digest('hex'));
      assert.deepEqual(new Uint8Array(await store.get(ref)), value);
    }),
    { numRuns: 25 },
  );
});

test('a file is stored by its path under the same reference as its bytes', async () => {
  const content = Buffer.alloc(3_000_000, 'line\n');
  await writeFile(join(folder, 'large'), content);
  const ref = await store.put({ path: join(folder, 'large') }, 'text/plain');
  assert.deepEqual(ref, await store.put(content, 'text/plain'));
  assert.equal((await store.get(ref, { maxBytes: 7 })).toString(), 'line\nli');
  assert.equal(ref.sizeBytes, content.length);
});

test('a hash that is not in the store is artifact-missing', async () => {
  const ref = { sha256: '0'.repeat(64), sizeBytes: 1, mediaType: 'text/plain' };
  await assert.rejects(store.get(ref), { code: 'artifact-missing' });
  await assert.rejects(store.path(ref), { code: 'artifact-missing' });
});

test('bytes that were changed in the folder are artifact-corrupt', async () => {
  const ref = await store.put(bytes('intact'), 'text/plain');
  const path = await store.path(ref);
  await chmod(path, 0o644);
  await writeFile(path, 'broken');
  await assert.rejects(store.get(ref), { code: 'artifact-corrupt' });
  await writeFile(path, 'longer than it was');
  await assert.rejects(store.path(ref), { code: 'artifact-corrupt' });
});

test('of many writers to a key, the first one wins', async () => {
  const refs = await Promise.all(
    Array.from({ length: 30 }, (_, index) => store.put(bytes(`writer ${index}`), 'text/plain')),
  );
  const kept = await Promise.all(refs.map((ref) => store.keep('run/../1/step\n', ref)));
  assert.equal(new Set(kept.map((ref) => ref.sha256)).size, 1);
  assert.deepEqual(await store.findByKey('run/../1/step\n'), kept[0]);
  assert.equal(await store.findByKey('run/1/other'), undefined);
});

test('a failed write leaves nothing behind', async () => {
  await assert.rejects(store.put({ path: join(folder, 'absent') }, 'text/plain'), { code: 'ENOENT' });
  assert.deepEqual(await readdir(join(folder, 'store', 'incoming')), []);
});
