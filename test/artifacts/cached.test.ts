import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { createCachedStore } from '../../artifacts/cached.ts';
import type { ArtifactRef } from '../../artifacts/contract.ts';
import { createFolderStore } from '../../artifacts/folder.ts';

const folder = await mkdtemp(join(tmpdir(), 'jig-cached-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const onDisk = createFolderStore({ rootDir: join(folder, 'store') });

/** A store that counts what is read from disk. */
function counted() {
  const read: string[] = [];
  const store = createCachedStore({
    ...onDisk,
    get: (ref, options) => (read.push(ref.sha256), onDisk.get(ref, options)),
  });
  return { store, read };
}

test('an artifact that was written or read as a whole is not read from disk again', async () => {
  const { store, read } = counted();
  const put = await store.put(Buffer.from('put here'), 'text/plain');
  const others = await onDisk.put(Buffer.from('put by another worker'), 'text/plain');
  for (let round = 0; round < 3; round += 1) {
    assert.equal(Buffer.from(await store.get(put)).toString(), 'put here');
    assert.equal(Buffer.from(await store.get(others)).toString(), 'put by another worker');
    assert.equal(Buffer.from(await store.get(others, { maxBytes: 3 })).toString(), 'put');
  }
  assert.deepEqual(read, [others.sha256]);
});

test('a part of an artifact is never returned as the whole', async () => {
  const { store } = counted();
  const ref = await onDisk.put(Buffer.from('the whole'), 'text/plain');
  assert.equal(Buffer.from(await store.get(ref, { maxBytes: 3 })).toString(), 'the');
  assert.equal(Buffer.from(await store.get(ref)).toString(), 'the whole');
});

test('changing bytes that were stored or returned does not change the cache', async () => {
  const { store } = counted();
  const bytes = Buffer.from('as it was');
  const ref = await store.put(bytes, 'text/plain');
  bytes.fill('x');
  (await store.get(ref)).fill(0);
  assert.equal(Buffer.from(await store.get(ref)).toString(), 'as it was');
});

test('large artifacts and files stay on disk, and the cache has a limit', async () => {
  const { store, read } = counted();
  const large = await store.put(Buffer.alloc(300_000, 'l'), 'text/plain');
  await writeFile(join(folder, 'file'), 'a file');
  const file = await store.put({ path: join(folder, 'file') }, 'text/plain');
  for (const ref of [large, large, file]) await store.get(ref);
  assert.deepEqual(read, [large.sha256, large.sha256, file.sha256]);
  const many: ArtifactRef[] = [];
  for (let index = 0; index < 80; index += 1)
    many.push(await store.put(Buffer.alloc(250_000, `${index} `), 'text/plain'));
  read.length = 0;
  for (const ref of many.slice(-10)) await store.get(ref);
  assert.deepEqual(read, []);
  for (const ref of many.slice(0, 10)) await store.get(ref);
  assert.deepEqual(
    read,
    many.slice(0, 10).map(({ sha256 }) => sha256),
  );
});
