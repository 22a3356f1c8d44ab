import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { pino } from 'pino';
import { dataFolders } from '../../client/data-folders.ts';
import { removeLeftovers } from '../../worker/leftovers.ts';

const log = pino({ level: 'silent' });
const hourMs = 3_600_000;

let dataDir = '';
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'jig-leftovers-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

test('files that a killed worker left are removed a day later, what it had begun to remove at once, and nothing else', async () => {
  const { artifacts, git, sandboxes } = dataFolders(dataDir);
  const left = [
    join(artifacts, 'incoming', 'one'),
    join(git, 'quarantine', 'export-x', 'objects', 'a'),
    join(sandboxes, '.new-1', 'sandbox.json'),
  ];
  const gone = join(sandboxes, `.gone-run-2-${randomUUID()}`, 'workspace', 'a');
  const kept = [
    join(artifacts, 'sha256', 'ab', 'cd'),
    join(git, 'mirrors', 'a.git', 'HEAD'),
    join(sandboxes, 'run-1', 'sandbox.json'),
  ];
  for (const path of [...left, gone, ...kept]) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'x', { mode: 0o444 });
  }
  assert.deepEqual(await removeLeftovers({ dataDir, log }, Date.now() + 23 * hourMs), []);
  await assert.rejects(access(dirname(dirname(gone))), { code: 'ENOENT' });
  const removed = await removeLeftovers({ dataDir, log }, Date.now() + 25 * hourMs);
  assert.equal(removed.length, 3);
  assert.deepEqual(await removeLeftovers({ dataDir, log }, Date.now() + 25 * hourMs), []);
  const files = (await readdir(dataDir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  assert.deepEqual(files.toSorted(), kept.toSorted());
});

test('an installation without any data has nothing to remove', async () => {
  assert.deepEqual(await removeLeftovers({ dataDir: join(dataDir, 'none'), log }), []);
});
