import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, test } from 'vitest';
import { execa } from 'execa';

const root = join(import.meta.dirname, '..', '..');
/** Whom the demo runs as where the tests are root: people aren't, and root is stopped by nothing. */
const ordinaryUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** A folder of that user's with a clone in it, which has our dependencies. */
async function makeHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'jig-demo-'));
  const clone = join(home, 'jig');
  const { stdout } = await execa('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const path of stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name))))
    await cp(join(root, path), join(clone, path), { verbatimSymlinks: true });
  if (ordinaryUser.uid !== undefined) await execa('chown', ['-R', `${ordinaryUser.uid}:${ordinaryUser.gid}`, home]);
  const modules = join(root, 'node_modules');
  const { exitCode } = await execa('test', ['-r', join(modules, '.package-lock.json')], {
    ...ordinaryUser,
    cwd: '/',
    reject: false,
  });
  // Where that user can't come to ours, the demo installs its own.
  if (exitCode === 0) await symlink(modules, join(clone, 'node_modules'));
  return home;
}

test('as an ordinary user, the demo leads from a published package to an open change, with a recorded session of a real model, and says so', async () => {
  const home = await makeHome();
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const {
    OPENAI_API_KEY: _key,
    OPENAI_BASE_URL: _url,
    JIG_MODEL: _model,
    XDG_CACHE_HOME: _cache,
    JIG_CACHE_DIR: _jigCache,
    ...env
  } = process.env;
  const demo = [join(home, 'jig', 'bin', 'jig.mjs'), 'demo', '--no-keep'];
  const { exitCode, stdout, stderr } = await execa('node', demo, {
    ...ordinaryUser,
    cwd: home,
    env: { ...env, HOME: home, JIG_DATA_DIR: join(home, 'data') },
    extendEnv: false,
    reject: false,
    timeout: 280_000,
  });
  const said = `${stdout}\n${stderr}`;
  assert.equal(exitCode, 0, said);
  assert.match(said, /replaying a recorded session of qwen2\.5-coder-1\.5b-instruct-q4/);
  assert.match(said, /succeeded: Change #1 is open/);
  assert.match(said, /\+.*datetime\.now\(timezone\.utc\)/);
  assert.match(said, /Its evidence, before → after\n✓ .*2381 passed/, 'the evidence stands with the change');
  assert.match(said, /http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/run/);
});
