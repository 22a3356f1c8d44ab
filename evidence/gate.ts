/**
 * Decides a check by its exit code, compared with what the same command did before the change.
 * A check that failed or was flaky before isn't the change's fault. Tests that disappear or are skipped are.
 */
import { z } from 'zod';
import { describeEnding } from '../base/command-endings.ts';
import { TestCounts } from './test-counts.ts';

/** The result of one command of a check. */
export const CheckResult = z.strictObject({
  command: z.string(),
  exitCode: z.number().int(),
  /** `exited`, or why the command was ended. */
  ending: z.string(),
  durationMs: z.number(),
  tests: TestCounts.optional(),
  /** Only before the change: the command failed once and passed once. */
  flaky: z.boolean().optional(),
});
export type CheckResult = z.infer<typeof CheckResult>;

export const Verdict = z.strictObject({
  passed: z.boolean(),
  /** The reason, in a few words for a reviewer and a model. */
  reason: z.string(),
});
export type Verdict = z.infer<typeof Verdict>;

const total = (tests: TestCounts): number => tests.passed + tests.failed + tests.skipped;

/**
 * Decides on `after`, given what the same command did before the change. `before` is undefined if the command wasn't
 * run then.
 */
export function decideCheck(after: CheckResult, before?: CheckResult): Verdict {
  if (after.ending !== 'exited') return { passed: false, reason: describeEnding(after) };
  const lost = before && findLostTests(before, after);
  if (lost) return { passed: false, reason: lost };
  if (after.exitCode === 0) return { passed: true, reason: 'exit code 0' };
  const code = `exit code ${after.exitCode}`;
  if (!before || (before.exitCode === 0 && !before.flaky)) return { passed: false, reason: code };
  return decideAgainstFailing(after, before, code);
}

function decideAgainstFailing(after: CheckResult, before: CheckResult, code: string): Verdict {
  const how = before.flaky ? 'was flaky' : 'failed';
  if (!before.tests || !after.tests) {
    return after.exitCode === before.exitCode || before.flaky
      ? { passed: true, reason: `${code}, but it ${how} before the change too` }
      : { passed: false, reason: `${code}; before the change it was ${before.exitCode}` };
  }
  if (after.tests.failed > before.tests.failed) {
    return { passed: false, reason: `failed tests: ${after.tests.failed}; before the change: ${before.tests.failed}` };
  }
  return { passed: true, reason: `${code}, but no more tests fail than the ${before.tests.failed} before the change` };
}

function findLostTests(before: CheckResult, after: CheckResult): string | undefined {
  if (!before.tests || total(before.tests) === 0) return undefined;
  if (!after.tests) {
    return after.exitCode === 0
      ? `the runner's counts are gone (before the change: ${total(before.tests)} tests)`
      : undefined;
  }
  const lost = total(before.tests) - total(after.tests);
  if (lost > 0) return lost === 1 ? '1 test has disappeared' : `${lost} tests have disappeared`;
  const skipped = after.tests.skipped - before.tests.skipped;
  if (skipped > 0) return skipped === 1 ? '1 more test is skipped' : `${skipped} more tests are skipped`;
  return undefined;
}
