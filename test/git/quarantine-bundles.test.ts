import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, test } from 'vitest';
import { access, checkRefused, createFixture, type Entry, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
  await fixture.trusted.ensureMirror(fixture.repository, access);
});
afterAll(() => fixture.close());

const refused = (entries: Entry[], code: string, paths?: string[], more = {}) =>
  checkRefused(fixture, entries, code, paths, more);

test('anything but one complete bundle is refused', async () => {
  const { folder } = fixture;
  const whole = await readFile(await fixture.bundleOf([{ name: 'x', content: 'x'.repeat(5000) }]));
  const headerEnd = whole.indexOf('\n\n');
  const head = await fixture.git(['rev-parse', 'refs/heads/export']);
  const flipped = Buffer.from(whole);
  flipped.writeUInt8((flipped.at(-40) ?? 0) ^ 0xff, flipped.length - 40);
  const hostile: Record<string, Buffer> = {
    nothing: Buffer.alloc(0),
    'other bytes': Buffer.from('#!/bin/sh\n\n'),
    'a tar with ../': Buffer.concat([Buffer.from('../../etc/passwd'), Buffer.alloc(1008)]),
    'a header without an end': whole.subarray(0, headerEnd),
    'a pack that ends early': whole.subarray(0, -30),
    'a pack with a flipped bit': flipped,
    'two heads': Buffer.concat([
      whole.subarray(0, headerEnd),
      Buffer.from(`\n${head} refs/heads/more`),
      whole.subarray(headerEnd),
    ]),
    'a head that is not in it': Buffer.concat([
      Buffer.from(`# v2 git bundle\n${'1'.repeat(40)} refs/heads/x`),
      whole.subarray(headerEnd),
    ]),
    'a head that is an option': Buffer.concat([
      Buffer.from('# v2 git bundle\n--output=x refs/heads/x'),
      whole.subarray(headerEnd),
    ]),
  };
  for (const [rule, bytes] of Object.entries(hostile)) {
    const path = join(folder, 'not-a.bundle');
    await writeFile(path, bytes);
    await assert.rejects(fixture.quarantine(path), { name: 'GitRefusal', code: 'bundle-corrupt' }, rule);
  }
});

test('a bundle of another history, whose base is not in the mirror, is refused', async () => {
  const other = await createFixture({ 'other.txt': 'other\n' });
  const bundle = await other.bundleOf([{ name: 'x', content: 'x' }]);
  await assert.rejects(fixture.quarantine(bundle), { code: 'bundle-corrupt' });
  await other.close();
});

test(
  'limits stop bombs: large bundles, a tree of 10^10 paths, a million names, zeros, and deltas that unfold',
  { timeout: 60_000 },
  async () => {
    const large = join(fixture.folder, 'large.bundle');
    await writeFile(large, '');
    await truncate(large, 300_000_000);
    await assert.rejects(fixture.quarantine(large), { code: 'too-large' });

    let tree = await fixture.writeTree([{ name: 'file', content: 'x' }]);
    for (let level = 0; level < 10; level++)
      tree = await fixture.writeTree('abcdefghij'.split('').map((name) => ({ name, mode: '40000', id: tree })));
    await assert.rejects(fixture.quarantine(await fixture.bundleTree(tree)), { code: 'too-many-files' });

    const id = await fixture.git(['hash-object', '-w', '--stdin'], 'x');
    const names = Array.from({ length: 1_000_000 }, (_, index) =>
      Buffer.concat([Buffer.from(`100644 ${String(index).padStart(7, '0')}\0`), Buffer.from(id, 'hex')]),
    );
    tree = await fixture.git(['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'], Buffer.concat(names));
    await assert.rejects(fixture.quarantine(await fixture.bundleTree(tree)), { code: 'too-many-files' });

    await refused([{ name: 'zeros', content: Buffer.alloc(8_000_000) }], 'too-large', ['zeros']);
    await assert.rejects(fixture.quarantine(await deltaBomb()), { code: 'too-large' });
    assert.deepEqual(await readdir(join(fixture.cacheDir, 'quarantine')), []);
  },
);

/** A number as packs write it: seven bits a byte, the low ones first. */
function size(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
}

/** A pack of one megabyte, and a delta of a few kilobytes that copies it two thousand times. */
async function deltaBomb(): Promise<string> {
  const header = (type: number, length: number) => {
    const first = (type << 4) | (length & 15);
    return length < 16 ? Buffer.from([first]) : Buffer.concat([Buffer.from([first | 0x80]), size(length >> 4)]);
  };
  const block = 0xf0000;
  const copies = 2000;
  const base = Buffer.alloc(block);
  const delta = Buffer.concat([
    size(block),
    size(block * copies),
    ...Array.from({ length: copies }, () => Buffer.from([0xc0, 0x0f])),
  ]);
  const first = Buffer.concat([header(3, base.length), deflateSync(base)]);
  const baseId = createHash('sha1').update(`blob ${block}\0`).update(base).digest();
  const second = Buffer.concat([header(7, delta.length), baseId, deflateSync(delta)]);
  const pack = Buffer.concat([Buffer.from('PACK'), Buffer.from([0, 0, 0, 2, 0, 0, 0, 2]), first, second]);
  const path = join(fixture.folder, 'delta.bundle');
  await writeFile(
    path,
    Buffer.concat([
      Buffer.from(`# v2 git bundle\n${fixture.base} refs/heads/x\n\n`),
      pack,
      createHash('sha1').update(pack).digest(),
    ]),
  );
  return path;
}
