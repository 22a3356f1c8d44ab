import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { z } from 'zod';
import { jig } from './jig.ts';

const Checked = z.object({
  files: z.array(
    z.object({
      file: z.string(),
      ok: z.boolean(),
      name: z.string().optional(),
      issues: z.array(z.object({ code: z.string(), line: z.number(), column: z.number(), path: z.string() })),
    }),
  ),
});

const good = 'blueprint: v1\nname: good\nsteps:\n  - run: "true"\n';
const bad = `blueprint: v1
name: bad
steps:
  - id: one
    run: "true"
    timout: 5m
  - if: steps.on.stdout == ''
    run: "true"
  - end: { outcome: done, reason: x }
`;

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jig-cli-'));
  await writeFile(join(dir, 'good.yaml'), good);
  await writeFile(join(dir, 'bad.yaml'), bad);
});
afterAll(() => rm(dir, { recursive: true }));

test('check reports every problem of every file at once, each with its place and a caret', async () => {
  const { exitCode, stdout } = await jig(['check', 'good.yaml', 'bad.yaml'], { cwd: dir });
  assert.equal(exitCode, 1);
  assert.match(stdout, /✓ good\.yaml: good, 1 step$/m);
  assert.match(stdout, /bad\.yaml:6:5/);
  assert.match(stdout, /did you mean `timeout`/);
  assert.match(stdout, /bad\.yaml:7/);
  assert.match(stdout, /bad\.yaml:9/);
  assert.match(stdout, /\^\^\^/);
  assert.match(stdout, /3 problems/);
});

test('check --json prints one document with codes and places, and the exit code stays', async () => {
  const { exitCode, stdout } = await jig(['check', '--json', 'good.yaml', 'bad.yaml'], { cwd: dir });
  assert.equal(exitCode, 1);
  const { files } = Checked.parse(JSON.parse(stdout));
  assert.deepEqual(
    files.map(({ file, ok, name }) => ({ file, ok, name })),
    [
      { file: 'good.yaml', ok: true, name: 'good' },
      { file: 'bad.yaml', ok: false, name: undefined },
    ],
  );
  assert.deepEqual(
    files[1]?.issues.map(({ code, line }) => [code, line]),
    [
      ['unknown-key', 6],
      ['unknown-reference', 7],
      ['wrong-value', 9],
    ],
  );
});

test('check reads standard input for -, and a correct blueprint gives exit code 0', async () => {
  const { exitCode, stdout } = await jig(['check', '-'], { input: good });
  assert.equal(exitCode, 0);
  assert.match(stdout, /<stdin>: good/);
});

test('a file that cannot be read is bad input, with its code and its page', async () => {
  const { exitCode, stderr, stdout } = await jig(['check', 'none.yaml'], { cwd: dir });
  assert.equal(exitCode, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^error\[file-unreadable\]: none\.yaml/);
  assert.match(stderr, /docs\/errors\/file-unreadable\.md/);
});

test('escape sequences in a blueprint are shown, not sent to the terminal', async () => {
  const { stdout } = await jig(['check', '-'], {
    input: 'blueprint: v1\nname: x\n"\\e]0;gone\\a\u001B[31m": 1\nsteps: []\n',
  });
  // oxlint-disable-next-line no-control-regex -- what must not be there
  assert.doesNotMatch(stdout, /[\u0000-\u0008\u000B-\u001F\u007F]/);
});
