import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';

test('the demo takes a published package to an open change, by a recorded session of a real model, and says so', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'jig-demo-'));
  const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, JIG_MODEL: _model, ...env } = process.env;
  const { exitCode, stdout, stderr } = await execa('node', [join(import.meta.dirname, '..', '..', 'bin', 'jig.mjs'), 'demo', '--no-keep'], { env: { ...env, JIG_DATA_DIR: dataDir }, extendEnv: false, reject: false, timeout: 280_000 });
  const said = `${stdout}\n${stderr}`;
  assert.equal(exitCode, 0, said);
  assert.match(said, /replaying a recorded session of qwen2\.5-coder-1\.5b-instruct-q4/);
  assert.match(said, /succeeded: Change #1 is open/);
  assert.match(said, /\+.*datetime\.now\(timezone\.utc\)/);
  assert.match(said, /Its evidence, before → after\n✓ .*2381 passed/, 'the evidence stands with the change');
  assert.match(said, /http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/run/);
  await rm(dataDir, { recursive: true, force: true });
});
