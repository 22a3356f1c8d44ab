import assert from 'node:assert/strict';
import { test } from 'vitest';
import { carryOutCases } from './carry-out-cases.ts';

const timeoutMs = 7 * 60_000;

test(
  'a run comes to what a plain reading of its blueprint says, whatever people do and whatever breaks',
  { timeout: timeoutMs },
  async () => {
    const { said, failures } = await carryOutCases(process.env);
    process.stdout.write(`${said}\n`);
    assert.ok(failures.length === 0, failures.join('\n\n'));
  },
);
