/** How many tests there are and how they ended, as a runner says it. */
import { z } from 'zod';

const number = z.number().int().nonnegative();

/** Numbers of tests. `errors` and `crashed` are failures too; a count that is missing is 0. */
export const TestCounts = z.strictObject({
  passed: number,
  failed: number,
  /** Skipped, pending, ignored, disabled or still to be written. */
  skipped: number,
  /** Tests that were expected to fail, and did. */
  expectedFailures: number.optional(),
  /** Tests that were expected to fail, and passed. */
  unexpectedPasses: number.optional(),
  /** Left out by a filter. They are not part of the total. */
  deselected: number.optional(),
  /** Tests, and files of tests, that could not be run to their end. */
  errors: number.optional(),
  /** Runs of a runner, or tests, that began and never reported an end. */
  crashed: number.optional(),
  /** All tests that the runner knows, without deselected ones. */
  total: number,
});
export type TestCounts = z.infer<typeof TestCounts>;

type Kind = Exclude<keyof TestCounts, 'total'>;

const words = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'skipped',
  expectedFailures: 'expected to fail',
  unexpectedPasses: 'passed unexpectedly',
  deselected: 'deselected',
  errors: 'errors',
  crashed: 'crashed',
} as const satisfies Record<Kind, string>;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a literal
export const countKinds = Object.keys(words) as Kind[];

/** The counts from those that a runner gave. The total is their sum, unless the runner says it. */
export function tally(given: Partial<TestCounts>): TestCounts {
  const { passed = 0, failed = 0, skipped = 0, expectedFailures = 0, unexpectedPasses = 0, errors = 0 } = given;
  const total = given.total ?? passed + failed + skipped + expectedFailures + unexpectedPasses + errors;
  const others = Object.entries(given).filter(([, count]) => count !== undefined && count > 0);
  return { ...Object.fromEntries(others), passed, failed, skipped, total: Math.max(total, 0) };
}

/** The sum of several counts. */
export function sum(all: readonly TestCounts[]): TestCounts {
  const add = (kind: keyof TestCounts) => all.reduce((so, counts) => so + (counts[kind] ?? 0), 0);
  return tally({ ...Object.fromEntries(countKinds.map((kind) => [kind, add(kind)])), total: add('total') });
}

/** How many tests did not do what they should. */
export function failedOf({ failed, errors = 0, crashed = 0 }: TestCounts): number {
  return failed + errors + crashed;
}

/** `3 passed, 0 failed, 1 skipped, 1 expected to fail` */
export function describeCounts(counts: TestCounts): string {
  return countKinds
    .filter((kind) => kind === 'passed' || kind === 'failed' || kind === 'skipped' || (counts[kind] ?? 0) > 0)
    .map((kind) => `${counts[kind] ?? 0} ${words[kind]}`)
    .join(', ');
}
