import assert from 'node:assert/strict';
import { test } from 'vitest';
import { carryOutCases } from './carry-out-cases.ts';

/** The number of files with random cases. In one file, the cases would take longer than a file may. */
const parts = 4;
const timeoutMs = 7 * 60_000;

/** Registers the test of one part of the cases, from 1. The cases are the same each time, so a failure is repeatable. */
export function testRandomCases(part: number): void {
  test(
    'a run does what a plain reading of its blueprint says, whatever people do and whatever breaks',
    { timeout: timeoutMs },
    async () => {
      const cases = Math.ceil(Number(process.env['JIG_PROPERTY_CASES'] ?? 1000) / parts);
      const { said, failures } = await carryOutCases({ cases, firstSeed: part * 1_000_000 });
      process.stdout.write(`${said}\n`);
      assert.ok(failures.length === 0, failures.join('\n\n'));
    },
  );
}
