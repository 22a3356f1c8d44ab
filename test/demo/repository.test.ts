import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { ensureDemoRepository } from '../../demo/repository.ts';

let cacheDir: string;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'jig-demo-'));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

test('the demo repository is the published package, in one commit that is the same everywhere', async () => {
  const lines: string[] = [];
  const demo = await ensureDemoRepository({ cacheDir, onProgress: (line) => lines.push(line) });
  const git = async (...words: string[]) => (await execa('git', words, { cwd: demo.path })).stdout;
  assert.equal(await git('rev-parse', 'HEAD'), '7fdeb646def632e622f6810dfd95a78c72831334');
  assert.equal(await git('rev-list', '--count', '--all'), '1');
  assert.equal(await git('status', '--porcelain'), '');
  assert.equal(lines.length, 1);
});

test('a second call finds the demo repository and downloads nothing', async () => {
  const lines: string[] = [];
  const [first, second] = await Promise.all(
    [1, 2].map(() => ensureDemoRepository({ cacheDir, onProgress: (line) => lines.push(line) })),
  );
  assert.deepEqual(first, second);
  assert.deepEqual(lines, []);
  assert.deepEqual(await readdir(join(cacheDir, 'demo')), ['webob-1.8.9']);
});
