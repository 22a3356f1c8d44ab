import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, test } from 'vitest';
import { execa } from 'execa';
import { z } from 'zod';
import { isAlive } from '../../base/process-identity.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const vitest = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
const Result = z.object({
  success: z.boolean(),
  testResults: z.array(z.object({ name: z.string(), status: z.enum(['passed', 'failed']) })),
});

test('files that never load, block their process or leave something open are ended in time, and the others run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jig-runner-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const resultFile = join(folder, 'result.json');
  const { stderr, exitCode } = await execa(
    process.execPath,
    [vitest, 'run', '--root', fixtures, '--reporter=json', `--outputFile=${resultFile}`, '--no-color'],
    { reject: false, timeout: 120_000 },
  );
  assert.equal(exitCode, 1, stderr);
  const { success, testResults } = Result.parse(JSON.parse(await readFile(resultFile, 'utf8')));
  assert.equal(success, false);
  const statuses = Object.fromEntries(testResults.map(({ name, status }) => [name.replace(/^.*\//, ''), status]));
  assert.deepEqual(statuses, {
    'blocks.case.ts': 'failed',
    'leaves-open.case.ts': 'passed',
    'never-loads.case.ts': 'failed',
    'passes.case.ts': 'passed',
  });
  for (const name of ['blocks', 'never-loads'])
    assert.match(stderr, new RegExp(`${name}\\.case\\.ts has not ended within`));
  const [, pid] = /leaves-open\.case\.ts has ended its tests and left running: (\d+) sleep 600/.exec(stderr) ?? [];
  assert.ok(pid, stderr);
  assert.equal(isAlive(Number(pid)), false);
});
