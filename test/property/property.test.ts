import assert from 'node:assert/strict';
import { expect, test } from 'vitest';
import { carryOutCases } from './carry-out-cases.ts';
import { compare } from './compare.ts';
import { knownCases } from './known-cases.ts';
import { startSuite } from './suite.ts';

const timeoutMs = 7 * 60_000;

test('a run comes to what its blueprint says where it once did not', async () => {
  await using suite = await startSuite();
  for (const [name, ofCase] of Object.entries(knownCases))
    expect(compare(ofCase, await suite.run(ofCase)), name).toBe('all');
});

test(
  'a run comes to what a plain reading of its blueprint says, whatever people do and whatever breaks',
  { timeout: timeoutMs },
  async () => {
    const { said, failures } = await carryOutCases(process.env);
    process.stdout.write(`${said}\n`);
    assert.ok(failures.length === 0, failures.join('\n\n'));
  },
);
