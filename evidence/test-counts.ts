/**
 * Reads a test runner's own counts from the end of its output.
 *
 * They serve to notice tests that disappear or are skipped, so an unknown runner gives `undefined`, never a guess. The
 * text is untrusted: only fixed patterns without nested repetition are used, on the last 16,000 characters.
 */
import { z } from 'zod';

export const TestCounts = z.strictObject({
  passed: z.number().int().nonnegative(),
  failed: z.number().int().nonnegative(),
  skipped: z.number().int().nonnegative(),
});
export type TestCounts = z.infer<typeof TestCounts>;

const ansi = new RegExp(String.fromCharCode(27) + '\\[[0-9;]*m', 'g');

const numberBefore = (text: string, word: string): number =>
  Number(new RegExp(`([0-9]{1,7}) ${word}`).exec(text)?.[1] ?? 0);
const numberAfter = (text: string, word: string): number =>
  Number(new RegExp(`${word} ([0-9]{1,7})`).exec(text)?.[1] ?? 0);

type Reader = (lines: string[]) => TestCounts | undefined;

/** Reads `==== 12 passed, 1 skipped in 0.31s ====`, or the same line without the rules, as `-q` prints it. */
const readPytest: Reader = (lines) => {
  const line = lines.findLast((text) => /(?:passed|failed|errors?|skipped|no tests ran).* in [0-9.]+s/.test(text));
  if (!line) return undefined;
  return {
    passed: numberBefore(line, 'passed') + numberBefore(line, 'xfailed'),
    failed: numberBefore(line, 'failed') + numberBefore(line, 'error'),
    skipped: numberBefore(line, 'skipped') + numberBefore(line, 'deselected'),
  };
};

/** Reads `Ran 12 tests in 0.1s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=2)`. */
const readUnittest: Reader = (lines) => {
  const ran = lines.findLast((text) => /^Ran [0-9]+ tests? in /.test(text));
  const end = lines.findLast((text) => /^(?:OK|FAILED|NO TESTS RAN)(?: \(|$)/.test(text));
  if (!ran || !end) return undefined;
  const count = (word: string): number => Number(new RegExp(`${word}=([0-9]{1,7})`).exec(end)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  const skipped = count('skipped');
  return { passed: Number(/[0-9]+/.exec(ran)?.[0] ?? 0) - failed - skipped, failed, skipped };
};

/** Reads node:test's summary: `# pass 3` in TAP, `ℹ pass 3` in the spec reporter. */
const readNodeTest: Reader = (lines) => {
  const summary = lines.filter((text) => /^(?:#|ℹ) (?:pass|fail|cancelled|skipped|todo) [0-9]+$/.test(text)).join('\n');
  if (!summary.includes(' pass ')) return undefined;
  return {
    passed: numberAfter(summary, 'pass'),
    failed: numberAfter(summary, 'fail') + numberAfter(summary, 'cancelled'),
    skipped: numberAfter(summary, 'skipped') + numberAfter(summary, 'todo'),
  };
};

/** Reads `Tests: 1 failed, 2 skipped, 3 passed, 6 total` (Jest) and `Tests  3 passed | 1 skipped (4)` (Vitest). */
const readJest: Reader = (lines) => {
  const line = lines.findLast((text) => /^\s*Tests:? .*[0-9]+ (?:passed|failed|skipped)/.test(text));
  if (!line) return undefined;
  return {
    passed: numberBefore(line, 'passed'),
    failed: numberBefore(line, 'failed'),
    skipped: numberBefore(line, 'skipped') + numberBefore(line, 'todo'),
  };
};

const readers: Reader[] = [readPytest, readUnittest, readNodeTest, readJest];

/** The counts that a known runner printed last; undefined if there are none. */
export function findTestCounts(output: string): TestCounts | undefined {
  const lines = output.slice(-16_000).replaceAll(ansi, '').split(/\r?\n/);
  for (const read of readers) {
    const counts = read(lines);
    if (counts) return counts;
  }
  return undefined;
}
