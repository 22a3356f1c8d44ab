import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import fc from 'fast-check';
import { decideCheck, isDecisive, type CheckResult } from '../../evidence/gate.ts';
import { observe } from '../../evidence/observe.ts';
import { countKinds, tally, type TestCounts } from '../../evidence/test-counts.ts';

const run = (exitCode: number, more: Partial<CheckResult> = {}): CheckResult => ({
  command: 'pytest -q',
  exitCode,
  ending: 'exited',
  durationMs: 1,
  ...more,
});
const counts = (passed: number, failed = 0, more: Partial<TestCounts> = {}) => ({
  tests: tally({ passed, failed, ...more }),
});
const names = (...failures: string[]) => ({ failures });

const verdicts: [rule: string, after: CheckResult, before: CheckResult | undefined, passed: boolean][] = [
  ['an exit code of 0 passes', run(0), undefined, true],
  ['another exit code fails', run(1), undefined, false],
  ['a command that Jig ended fails', run(0, { ending: 'deadline' }), undefined, false],
  [
    'a command that Jig ended fails, though it was ended before too',
    run(137, { ending: 'deadline' }),
    run(137, { ending: 'deadline' }),
    false,
  ],
  ['what passed before and fails now fails', run(1, counts(3, 1)), run(0, counts(4)), false],

  ['the same output is the same failure', run(1, { lines: ['a'] }), run(1, { lines: ['a', 'b'] }), true],
  ['silence is the same failure as silence', run(1, { lines: [] }), run(1, { lines: [] }), true],
  ['a new line in the output is another failure', run(1, { lines: ['a', 'c'] }), run(1, { lines: ['a', 'b'] }), false],
  [
    'the same output with another exit code is another failure',
    run(2, { lines: ['a'] }),
    run(1, { lines: ['a'] }),
    false,
  ],
  ['an output that nobody compared is another failure', run(1), run(1), false],

  [
    'the same failed tests are excused',
    run(1, { ...counts(3, 1), ...names('a') }),
    run(1, { ...counts(3, 1), ...names('a') }),
    true,
  ],
  [
    'fewer failed tests are excused, with any exit code',
    run(1, { ...counts(3, 1), ...names('b') }),
    run(2, { ...counts(2, 2), ...names('a', 'b') }),
    true,
  ],
  [
    'another failed test in place of the first is not excused',
    run(1, { ...counts(3, 1), ...names('b') }),
    run(1, { ...counts(3, 1), ...names('a') }),
    false,
  ],
  [
    'one more failed test is not excused',
    run(1, { ...counts(2, 2), ...names('a', 'b') }),
    run(1, { ...counts(3, 1), ...names('a') }),
    false,
  ],
  [
    'more failed tests without names are not excused',
    run(1, { ...counts(2, 2), lines: [] }),
    run(1, { ...counts(3, 1), lines: [] }),
    false,
  ],
  [
    'names decide where there are no counts',
    run(1, { doubt: 'x', ...names('m TestA') }),
    run(1, { doubt: 'x', ...names('m TestA') }),
    true,
  ],
  [
    'a package that can’t be built is not the test that failed in it',
    run(1, { doubt: 'x', ...names('m') }),
    run(1, { doubt: 'x', ...names('m TestA') }),
    false,
  ],
  [
    'tests that pass don’t excuse what fails besides them',
    run(1, { ...counts(4), ...names(), lines: ['b'] }),
    run(1, { ...counts(3, 1), ...names('a'), lines: ['a'] }),
    false,
  ],

  ['what was flaky before may fail again', run(1, names('a')), run(1, { ...names('a'), flaky: true }), true],
  ['what was flaky before excuses no other failure', run(1, names('b')), run(1, { ...names('a'), flaky: true }), false],
  [
    'each of what was flaky before may fail',
    run(1, { ...counts(2, 2), ...names('a', 'b') }),
    run(1, { ...counts(3, 1), ...names('a', 'b'), flaky: true }),
    true,
  ],
  ['a check that is flaky only after the change fails', run(1, { flaky: true }), run(0), false],

  ['tests that disappear fail', run(0, counts(3)), run(0, counts(4)), false],
  ['tests that disappear fail, though fewer fail', run(1, counts(1)), run(1, counts(3, 1)), false],
  ['counts that are gone fail', run(0), run(0, counts(4)), false],
  [
    'counts that are gone fail, though it failed before',
    run(2, { lines: [] }),
    run(2, { ...counts(11, 1), lines: [] }),
    false,
  ],
  ['counts that can’t be trusted any more fail', run(0, { doubt: 'x' }), run(0, counts(4)), false],
  [
    'a file of tests that no longer loads fails',
    run(1, counts(9, 0, { errors: 1, total: 9 })),
    run(1, counts(9, 1)),
    false,
  ],
  ['more skipped tests fail', run(0, counts(3, 0, { skipped: 1 })), run(0, counts(4)), false],
  [
    'more tests that are expected to fail fail',
    run(0, counts(2, 0, { expectedFailures: 1 })),
    run(1, counts(2, 1)),
    false,
  ],
  ['more deselected tests fail', run(0, counts(4, 0, { deselected: 1 })), run(0, counts(4)), false],
  [
    'a test that was expected to fail may pass',
    run(0, counts(1, 0, { unexpectedPasses: 1 })),
    run(0, counts(1, 0, { expectedFailures: 1 })),
    true,
  ],
  ['new tests may come', run(0, counts(6)), run(1, counts(3, 1)), true],
  ['failed parts of tests are no tests that disappear', run(0, counts(2)), run(1, counts(2, 3, { total: 2 })), true],
  [
    'tests may come where a file of them did not load',
    run(0, counts(6)),
    run(1, counts(0, 0, { errors: 1, total: 0 })),
    true,
  ],
  ['an exit code of 0 doesn’t hide failed tests', run(0, counts(3, 1)), undefined, false],
  ['an exit code of 0 hides no more failed tests than before', run(0, counts(2, 2)), run(0, counts(3, 1)), false],
  [
    'failed tests behind an exit code of 0 are excused by the same number',
    run(0, counts(3, 1)),
    run(0, counts(3, 1)),
    true,
  ],

  ['a runner that broke off fails', run(0, counts(3, 0, { crashed: 1 })), undefined, false],
  [
    'a runner that broke off before, too, fails',
    run(1, counts(3, 0, { crashed: 1 })),
    run(1, counts(3, 0, { crashed: 1 })),
    false,
  ],
  [
    'a runner that broke off before excuses nothing',
    run(1, { ...counts(3, 1), ...names('a') }),
    run(1, { ...counts(3, 1, { crashed: 1 }), ...names('a') }),
    false,
  ],
  ...(['program-missing', 'download-failed', 'limit', 'deadline', 'crash'] as const).flatMap(
    (kind): (typeof verdicts)[number][] => [
      [
        `${kind}: never passes`,
        run(1, { obstacle: { kind, what: 'x' } }),
        run(1, { obstacle: { kind, what: 'x' } }),
        false,
      ],
      [`${kind}: excuses nothing`, run(1, { lines: [] }), run(1, { lines: [], obstacle: { kind, what: 'x' } }), false],
      [`${kind}: what passes afterwards passes`, run(0), run(1, { obstacle: { kind, what: 'x' } }), true],
    ],
  ),

  ['what must turn green is not excused', run(1, { lines: [] }), run(1, { lines: [], mustTurnGreen: true }), false],
  ['what must turn green may', run(0), run(1, { mustTurnGreen: true }), true],
];
describe('a check', () => {
  for (const [rule, after, before, passed] of verdicts)
    test(rule, () => assert.equal(decideCheck(after, before).passed, passed, decideCheck(after, before).reason));

  const anyCounts = fc
    .record(Object.fromEntries(countKinds.map((kind) => [kind, fc.nat(5)])))
    .map((given) => tally(given));
  const anyRun = fc
    .record({ exitCode: fc.nat(2), tests: anyCounts })
    .map(({ exitCode, tests }) => run(exitCode, { tests, lines: [] }));

  test('never passes with fewer tests than before', () => {
    fc.assert(
      fc.property(anyRun, anyRun, (after, before) => {
        fc.pre((after.tests?.total ?? 0) < (before.tests?.total ?? 0));
        assert.equal(decideCheck(after, before).passed, false);
      }),
    );
  });

  test('never passes with more that fails than before', () => {
    fc.assert(
      fc.property(anyRun, anyRun, (after, before) => {
        const failed = ({ tests }: CheckResult) => (tests?.failed ?? 0) + (tests?.errors ?? 0) + (tests?.crashed ?? 0);
        fc.pre(failed(after) > failed(before));
        assert.equal(decideCheck(after, before).passed, false);
      }),
    );
  });
});

test('a check decides unless nothing is known to have run', () => {
  assert.equal(isDecisive(run(0)), true);
  assert.equal(isDecisive(run(0, counts(1))), true);
  assert.equal(isDecisive(run(0, counts(0))), false);
  assert.equal(isDecisive(run(1, { lines: [] })), false);
  assert.equal(isDecisive(run(1, counts(1, 1))), true);
  assert.equal(isDecisive(run(1, { doubt: 'x', ...names('m TestA') })), true);
});

/** What one command wrote before and after a change, and whether the change may pass. */
const pairs: [
  rule: string,
  before: [exitCode: number, output: string],
  after: [exitCode: number, output: string],
  passed: boolean,
][] = [
  [
    'the same findings at other lines',
    [1, 'a.py:12:5: F401 unused\nFound 1 error.\n'],
    [1, 'a.py:14:5: F401 unused\nFound 1 error.\n'],
    true,
  ],
  [
    'one finding less',
    [1, 'a.py:12: F401 unused\nb.py:3: E501 too long\nFound 2 errors.\n'],
    [1, 'b.py:3: E501 too long\nFound 1 error.\n'],
    true,
  ],
  [
    'one finding more of the same kind in the same file',
    [1, 'a.py:12: F401 unused\n'],
    [1, 'a.py:12: F401 unused\na.py:13: F401 unused\n'],
    false,
  ],
  ['a finding in another file', [1, 'a.py:12: F401 unused\n'], [1, 'b.py:12: F401 unused\n'], false],
  ['a larger number of findings that are not listed', [1, '3 problems\n'], [1, '10 problems\n'], false],
  ['a larger number alone', [1, '3\n'], [1, '10\n'], false],
  ['a smaller number alone', [1, '10\n'], [1, '3\n'], true],
  ['another time and another address', [1, 'failed at 0x7fa3 in 12ms\n'], [1, 'failed at 0x8fb4 in 1.4 s\n'], true],
  [
    'a compiler error where tests failed',
    [1, 'F\n=== 1 failed, 2 passed in 0.10s ===\n'],
    [1, 'SyntaxError: invalid syntax\n'],
    false,
  ],
  ['a compiler error where a linter failed', [1, 'a.py:1: F401 unused\n'], [1, 'error: expected `;`\n'], false],
  ['the same compiler error', [1, 'a.c:3: error: expected `;`\n'], [1, 'a.c:9: error: expected `;`\n'], true],
  ['another compiler error', [1, 'a.c:3: error: expected `;`\n'], [1, 'a.c:3: error: unknown type `t`\n'], false],
];
describe('a failure before the change excuses', () => {
  const seen = ([exitCode, output]: [number, string]): CheckResult =>
    run(exitCode, observe({ ending: 'exited', exitCode, streams: [output, ''], refused: [] }));
  for (const [rule, before, after, passed] of pairs) {
    test(`${passed ? '' : 'not '}${rule}`, () => assert.equal(decideCheck(seen(after), seen(before)).passed, passed));
  }

  test('the same output, whatever it is, and not one with a line more', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.stringMatching(/^[a-z]{3,8} [a-z]{3,8}$/), (lines, more) => {
        fc.pre(!lines.some((line) => line.includes(more.slice(0, 3))));
        const before = seen([1, lines.join('\n')]);
        assert.equal(decideCheck(before, before).passed, before.lines !== undefined && !before.obstacle);
        assert.equal(decideCheck(seen([1, [...lines, more].join('\n')]), before).passed, false);
      }),
    );
  });

  test('a long output only if it is the same', () => {
    const long = Array.from({ length: 1000 }, (_, each) => `finding ${'abcdefghij'[each % 10]} ${'x'.repeat(each)}`);
    assert.equal(decideCheck(seen([1, long.join('\n')]), seen([1, long.join('\n')])).passed, true);
    assert.equal(decideCheck(seen([1, long.slice(1).join('\n')]), seen([1, long.join('\n')])).passed, false);
  });

  test('nothing where an output is too long to be read', () => {
    const cut = run(1, observe({ ending: 'exited', exitCode: 1, streams: [undefined, ''], refused: [] }));
    assert.equal(decideCheck(cut, cut).passed, false);
    assert.match(cut.doubt ?? '', /too long/);
  });
});
