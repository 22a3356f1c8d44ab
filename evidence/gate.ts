/**
 * Decides a check by its exit code and its tests, compared with what the same command did before the change. Only the
 * same failure is excused: the same tests, or the same command failing in the same way. What could not do its work
 * never passes and never excuses, and neither does success by absence: tests that disappear, are skipped, or are
 * expected to fail from now on.
 */
import { z } from 'zod';
import { describeEnding } from '../base/command-endings.ts';
import { plural } from '../base/plural.ts';
import { Obstacle } from './obstacles.ts';
import { describeCounts, failedOf, TestCounts } from './test-counts.ts';

/** The result of one command of a check. */
export const CheckResult = z.strictObject({
  command: z.string(),
  exitCode: z.number().int(),
  /** `exited`, or why the command was ended. */
  ending: z.string(),
  durationMs: z.number(),
  tests: TestCounts.optional(),
  /** Why the counts of a runner that was recognized are not used. */
  doubt: z.string().optional(),
  /** The names of everything that failed, if the runner names all of it. Untrusted. */
  failures: z.array(z.string()).optional(),
  /** Only of a command that failed: its output as digests of its lines. */
  lines: z.array(z.string()).optional(),
  /** Why the command could not do its work. */
  obstacle: Obstacle.optional(),
  /** The command failed once and passed once, or failed in two ways. */
  flaky: z.boolean().optional(),
  /** Only before the change: the command failed as it should, and must pass after the change. */
  mustTurnGreen: z.boolean().optional(),
});
export type CheckResult = z.infer<typeof CheckResult>;

export const Verdict = z.strictObject({
  passed: z.boolean(),
  /** The reason, in a few words for a reviewer and a model. */
  reason: z.string(),
});
export type Verdict = z.infer<typeof Verdict>;

/** How a command ended, in a few words: its tests, or its exit code. */
export function describeResult({
  exitCode,
  tests,
  doubt,
  flaky,
}: Pick<CheckResult, 'exitCode' | 'tests' | 'doubt' | 'flaky'>): string {
  const how = tests
    ? describeCounts(tests)
    : `exit code ${exitCode}${doubt === undefined ? '' : `, tests not counted: ${doubt}`}`;
  return flaky ? `${how}, flaky` : how;
}

/**
 * Whether a command that passed, or was excused, says anything about the code: not if its runner ran no test, nor if it
 * failed as before and nothing is known to have run.
 */
export function isDecisive({
  exitCode,
  tests,
  failures,
}: Pick<CheckResult, 'exitCode' | 'tests' | 'failures'>): boolean {
  if (exitCode === 0) return tests === undefined || tests.total > 0;
  return (tests?.passed ?? 0) > 0 || (failures?.length ?? 0) > 0;
}

const pass = (reason: string): Verdict => ({ passed: true, reason });
const fail = (reason: string): Verdict => ({ passed: false, reason });

/**
 * Decides on `after`, given what the same command did before the change. `before` is undefined if the command wasn't
 * run then.
 */
export function decideCheck(after: CheckResult, before?: CheckResult): Verdict {
  if (after.ending !== 'exited') return fail(describeEnding(after));
  const code = `exit code ${after.exitCode}`;
  if (after.obstacle) return fail(`${code}, because it could not do its work: ${after.obstacle.what}`);
  if (after.tests?.crashed) return fail(`${code}, but the test runner broke off`);
  const lost = before && findLostTests(after, before);
  if (lost !== undefined) return fail(lost);
  const failed = after.tests ? failedOf(after.tests) : 0;
  const failedBefore = before ? countFailed(before) : 0;
  if (after.exitCode === 0 && failed > failedBefore) return fail(`exit code 0, but ${plural(failed, 'test')} failed`);
  if (after.exitCode === 0) return pass(code);
  if (!before || (before.exitCode === 0 && !before.flaky))
    return fail(after.flaky ? `${code}, and it is flaky: another run of it passed` : code);
  if (before.mustTurnGreen) return fail(`${code}, but it must pass after the change`);
  if (before.obstacle || before.tests?.crashed)
    return fail(`${code}; before the change it could not do its work, so that excuses nothing`);
  if (failed > failedBefore && after.tests && before.tests)
    return fail(`failed tests: ${failed}; before the change: ${failedBefore}`);
  return decideAgainstFailing(after, before, code);
}

/** How many tests could fail: of a flaky command, those that failed in one run or the other. */
function countFailed({ tests, failures, flaky }: CheckResult): number {
  return Math.max(tests ? failedOf(tests) : 0, flaky ? (failures?.length ?? 0) : 0);
}

/** Decides on a failure by what failed before. */
function decideAgainstFailing(after: CheckResult, before: CheckResult, code: string): Verdict {
  const how = before.flaky ? 'failed or was flaky' : 'failed';
  if (after.failures && after.failures.length > 0 && before.failures) {
    const known = new Set(before.failures);
    const added = after.failures.filter((name) => !known.has(name));
    return added.length > 0
      ? fail(`${code}, and what fails did not fail before the change: ${listed(added)}`)
      : pass(`${code}, but only what ${how} before the change still fails: ${listed(after.failures)}`);
  }
  const known = before.lines && new Set(before.lines);
  const isSame = known && after.lines?.every((line) => known.has(line)) && after.exitCode === before.exitCode;
  return isSame
    ? pass(`${code}, but it ${how} in the same way before the change`)
    : fail(`${code}; before the change it ${how} in another way, with exit code ${before.exitCode}`);
}

/** Counts of which more than before are a finding, with what is said of such tests. */
const hiding = { skipped: 'skipped', expectedFailures: 'expected to fail', deselected: 'deselected' } as const;

function findLostTests(after: CheckResult, before: CheckResult): string | undefined {
  if (!before.tests || before.tests.total === 0) return undefined;
  const was = `before the change: ${plural(before.tests.total, 'test')}`;
  if (!after.tests)
    return after.doubt === undefined ? `the runner's counts are gone (${was})` : `${after.doubt} (${was})`;
  const lost = before.tests.total - after.tests.total;
  if (lost > 0) return `${plural(lost, 'test')} ${lost === 1 ? 'has' : 'have'} disappeared`;
  for (const kind of ['skipped', 'expectedFailures', 'deselected'] as const) {
    const more = (after.tests[kind] ?? 0) - (before.tests[kind] ?? 0);
    if (more > 0) return `${plural(more, 'more test')} ${more === 1 ? 'is' : 'are'} ${hiding[kind]}`;
  }
  return undefined;
}

/** How many names a reason lists. */
const maxListed = 3;

function listed(names: readonly string[]): string {
  const more = names.length - maxListed;
  return `${names.slice(0, maxListed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
