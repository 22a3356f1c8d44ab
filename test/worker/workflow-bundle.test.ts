import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, test } from 'vitest';
import { bundleWorkflows, hashSources } from '../../worker/workflow-bundle.ts';

const scratch = await mkdtemp(join(tmpdir(), 'jig-bundle-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

test('a bundle is made once, and never read from a file that is damaged or that others could have written', async () => {
  const cacheDir = join(scratch, 'cache');
  const folder = join(cacheDir, 'workflows');
  const env = { ...process.env, JIG_CACHE_DIR: cacheDir };
  await mkdir(folder, { recursive: true });
  const old = join(folder, 'of-last-week.js');
  await writeFile(old, '');
  await utimes(old, 1, 1);

  const made = await bundleWorkflows(env);
  const names = await readdir(folder);
  assert.equal(names.length, 1, 'what is old makes room');
  const path = join(folder, names[0] ?? '');
  assert.equal((await stat(path)).mode & 0o777, 0o600);

  // Another text under its own hash stands for the bundle, to see what is taken from the cache.
  const other = '// from the cache';
  const intact = `// ${createHash('sha256').update(other).digest('hex')}\n${other}`;
  await writeFile(path, intact);
  assert.equal((await bundleWorkflows(env)).code, other);
  await chmod(path, 0o622);
  assert.equal((await bundleWorkflows(env)).code, made.code);
  await writeFile(path, intact.replace(other, `${other}!`));
  assert.equal((await bundleWorkflows(env)).code, made.code);
});

test('a cache that can’t be written only costs time', async () => {
  const cacheDir = join(scratch, 'no-folder');
  await writeFile(cacheDir, '');
  assert.match((await bundleWorkflows({ ...process.env, JIG_CACHE_DIR: cacheDir })).code, /workflows\/index\.ts/);
});

test('any change to the sources, or to their place, changes their hash', async () => {
  const root = join(scratch, 'sources');
  const write = async (path: string, text: string): Promise<string> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    return hashSources(root);
  };
  const hashes = [
    await write('workflows/run.ts', 'a'),
    await write('workflows/run.ts', 'b'),
    await write('workflows/steps/run.ts', 'b'),
    await write('model/prices.ts', ''),
    await write('package-lock.json', '{}'),
    await write('package-lock.json', '{ }'),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
  const last = hashes.at(-1);
  for (const path of ['node_modules/zod/index.ts', 'test/worker/some.test.ts', 'README.md'])
    assert.equal(await write(path, 'x'), last, path);
});
