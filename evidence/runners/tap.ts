/** The Test Anything Protocol, and prove, which sums it up. */
import { tally } from '../test-counts.ts';
import { together, type Reading, type Runner } from './runner.ts';

const result = /^(not )?ok\b(?: +(\d{1,9}))?(?: +-)? ?(.*)$/;
const plan = /^1\.\.(\d{1,9})(?: .*)?$/;

/**
 * Reads the results at the left margin; those of subtests are indented. Fewer results than planned means that the
 * program of tests broke off.
 */
function readTap(lines: readonly string[]): Reading | undefined {
  const plans = lines.flatMap((line) => plan.exec(line)?.[1] ?? []).map(Number);
  const results = lines.flatMap((line) => {
    const match = result.exec(line);
    return match ? [{ isOk: match[1] === undefined, text: match[3] ?? '' }] : [];
  });
  if (plans.length === 0) return undefined;
  const planned = plans.reduce((so, count) => so + count, 0);
  const skipped = results.filter(({ text }) => /(?:^| )# *skip/i.test(text));
  const expected = results.filter(({ text, isOk }) => /(?:^| )# *todo\b/i.test(text) && !isOk);
  const failed = results.filter((each) => !each.isOk && !skipped.includes(each) && !expected.includes(each));
  const crashed = results.length < planned || lines.some((line) => line.startsWith('Bail out!')) ? 1 : 0;
  const passed = results.length - skipped.length - expected.length - failed.length;
  const counts = { passed, failed: failed.length, skipped: skipped.length, expectedFailures: expected.length, crashed };
  return { tests: tally({ ...counts, total: results.length }), failures: failed.map(({ text }) => text) };
}

/** Reads `Files=1, Tests=4, …` and the report above it. It doesn't say how many tests were skipped. */
function readProve(lines: readonly string[]): Reading | undefined {
  const ends = lines.flatMap((line, index) => (/^Files=\d+, Tests=\d+, /.test(line) ? [index] : []));
  return together(
    ends.map((end, run): Reading => {
      const report = lines.slice(ends[run - 1] ?? 0, end);
      const total = Number(/Tests=(\d+)/.exec(lines[end] ?? '')?.[1]);
      const files = report.flatMap((line, index) => {
        const [, file, failed] = /^(.{1,300}?) +\(Wstat: .* Tests: \d+ Failed: (\d+)\)$/.exec(line) ?? [];
        return file === undefined ? [] : [{ file, failed: Number(failed), which: report[index + 1]?.trim() ?? '' }];
      });
      const failed = files.reduce((so, file) => so + file.failed, 0);
      const crashed = report.some((line) => /^ +(?:Parse errors: |Non-zero wait status: )/.test(line)) ? 1 : 0;
      const names = files.map(({ file, which }) => `${file}: ${which.replaceAll(/ +/g, ' ')}`);
      return { tests: tally({ passed: Math.max(total - failed, 0), failed, crashed, total }), failures: names };
    }),
  );
}

export const prove: Runner = {
  name: 'prove',
  reads: 'the last lines and the summary report',
  over: ['TAP'],
  read: readProve,
};
export const tap: Runner = {
  name: 'TAP',
  reads: 'the plan and every result; bats, tape, AVA, mocha and others can write it',
  read: readTap,
};
