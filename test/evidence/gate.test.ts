import assert from 'node:assert/strict';
import { test } from 'vitest';
import fc from 'fast-check';
import { decideCheck, type CheckResult } from '../../evidence/gate.ts';
import { findTestCounts } from '../../evidence/test-counts.ts';

const run = (exitCode: number, tests?: CheckResult['tests'], more: Partial<CheckResult> = {}): CheckResult => ({
  command: 'pytest -q',
  exitCode,
  ending: 'exited',
  durationMs: 1,
  ...(tests && { tests }),
  ...more,
});
const counts = (passed: number, failed = 0, skipped = 0) => ({ passed, failed, skipped });

const verdicts: [rule: string, after: CheckResult, before: CheckResult | undefined, passed: boolean][] = [
  ['an exit code of 0 passes', run(0), undefined, true],
  ['another exit code fails', run(1), undefined, false],
  ['a command that failed before with the same code is not the change’s fault', run(1), run(1), true],
  ['a command that failed before with another code fails', run(2), run(1), false],
  ['a command that passed before and fails now fails', run(1, counts(3, 1)), run(0, counts(4)), false],
  ['a command with no more failing tests than before passes', run(1, counts(4, 1)), run(1, counts(3, 2)), true],
  ['a command with one more failing test than before fails', run(1, counts(3, 2)), run(1, counts(4, 1)), false],
  ['a command that was flaky before may fail again', run(1), run(0, undefined, { flaky: true }), true],
  ['a command whose tests disappear fails, whatever the exit code', run(0, counts(3)), run(0, counts(4)), false],
  [
    'a command with newly skipped tests fails, whatever the exit code',
    run(0, counts(3, 0, 1)),
    run(0, counts(4)),
    false,
  ],
  ['a command whose runner no longer prints counts fails', run(0), run(0, counts(4)), false],
  ['a command that Jig ended fails', run(0, undefined, { ending: 'deadline' }), undefined, false],
];
for (const [rule, after, before, passed] of verdicts) {
  test(rule, () => assert.equal(decideCheck(after, before).passed, passed, decideCheck(after, before).reason));
}

test('a command that lost tests never passes', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(5), fc.nat(5), fc.nat(50), fc.nat(1), (p, f, s, after, exitCode) => {
      fc.pre(after < p + f + s);
      assert.equal(decideCheck(run(exitCode, counts(after)), run(exitCode, counts(p, f, s))).passed, false);
    }),
  );
});

const outputs: [runner: string, output: string, expected: ReturnType<typeof findTestCounts>][] = [
  ['pytest', '..s.\n=== 3 passed, 1 skipped in 0.31s ===\n', counts(3, 0, 1)],
  ['pytest -q', '\u001b[32m\u001b[1m12 passed\u001b[0m\u001b[32m in 0.05s\u001b[0m\n', counts(12)],
  ['pytest with errors', '1 failed, 2 passed, 3 errors in 1.00s', counts(2, 4)],
  ['pytest without tests', 'no tests ran in 0.01s', counts(0)],
  ['unittest', 'Ran 5 tests in 0.001s\n\nFAILED (failures=1, skipped=2)\n', counts(2, 1, 2)],
  ['node:test', '# tests 4\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n', counts(2, 1, 1)],
  ['jest', 'Tests:       1 failed, 2 skipped, 3 passed, 6 total\n', counts(3, 1, 2)],
  ['vitest', '      Tests  3 passed | 1 skipped (4)\n', counts(3, 0, 1)],
  ['anything else', 'all good, 12 passed the exam', undefined],
];
for (const [runner, output, expected] of outputs) {
  test(`the counts of ${runner} are read`, () => assert.deepEqual(findTestCounts(output), expected));
}
