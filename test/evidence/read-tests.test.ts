import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { observe } from '../../evidence/observe.ts';
import { readReports } from '../../evidence/read-reports.ts';
import { readTests, runners } from '../../evidence/read-tests.ts';
import type { Reading } from '../../evidence/runners/runner.ts';
import { samples } from './samples.ts';

/** What runners really wrote; those of .NET and Gradle are written after their documentation. */
const folder = join(import.meta.dirname, 'samples');
const sample = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** The counts in words, without what is zero; why there are none; or `nothing`, if no runner was recognized. */
function counts(reading: Reading | undefined): string {
  if (!reading?.tests) return reading ? 'doubt' : 'nothing';
  const shown = [
    'passed',
    'failed',
    'errors',
    'crashed',
    'skipped',
    'expectedFailures',
    'unexpectedPasses',
    'deselected',
  ] as const;
  const { tests } = reading;
  return [
    ...shown.filter((kind) => (tests[kind] ?? 0) > 0).map((kind) => `${tests[kind]} ${kind}`),
    `${tests.total} total`,
  ].join(', ');
}

describe('what a runner really wrote is read', () => {
  for (const [file, expected, failures] of samples) {
    test(file, () => {
      const text = sample(file);
      const reading = file.endsWith('.xml') ? readReports([{ path: file, text }]) : readTests([text]);
      assert.equal(counts(reading), expected);
      assert.deepEqual(reading?.failures, failures);
    });
  }

  test('each sample is in the list', () => {
    assert.deepEqual(samples.map(([file]) => file).toSorted(), readdirSync(folder).toSorted());
  });

  test('each runner has a sample that it alone reads', () => {
    const texts = samples
      .filter(([file]) => file.endsWith('.txt'))
      .map(([file]) => stripVTControlCharacters(sample(file)).split('\n'));
    for (const runner of runners)
      assert.ok(
        texts.some((lines) => runner.read(lines) !== undefined),
        runner.name,
      );
  });
});

/** Outputs that mislead a reader who looks for words anywhere. */
const misleading: [rule: string, streams: string[], counts: string][] = [
  [
    'a log line is no summary',
    ['all good, 12 passed the exam\nworker: 2 jobs skipped in 0.3s\nretries what failed in 5s\n'],
    'nothing',
  ],
  ['a summary of pytest needs its rules or its dots', ['3 passed in 0.10s\n'], 'nothing'],
  [
    'a test that prints a summary does not hide that of pytest',
    ['..\n5 passed in 0.10s\n.                       [100%]\n3 passed in 0.20s\n'],
    '3 passed, 3 total',
  ],
  [
    'what a test prints does not hide the verdict of unittest',
    [`..\n${'-'.repeat(70)}\nRan 2 tests in 0.001s\n\nFAILED (failures=1)\n`, 'OK\n'],
    '1 passed, 1 failed, 2 total',
  ],
  [
    'two quiet sessions of pytest are added up',
    ['..      [100%]\n2 passed in 0.10s\n...     [100%]\n3 passed in 0.20s\n'],
    '5 passed, 5 total',
  ],
  ['a verdict without its runner is none', ['Ran 2 tests in 0.001s\n\nOK\n'], 'nothing'],
  [
    'a title of a test is no summary',
    ['  ✓ Tests:       5 passed, 5 total (1 ms)\n\nTest Suites: 1 passed, 1 total\nTests:       2 passed, 2 total\n'],
    '2 passed, 2 total',
  ],
  ['`Tests:` alone is not jest', ['Tests:       5 passed, 5 total\n'], 'nothing'],
  ['`2 passing` without a time is not mocha', ['  2 passing\n'], 'nothing'],
  ['counts of node:test are a whole block', ['ℹ tests 2\nℹ pass 2\nℹ fail 0\n'], 'nothing'],
  ['`ok` in prose is not TAP', ['ok then\nnot ok at all\n'], 'nothing'],
  ['a count with a word that is not known is not used', ['==== 2 passed, 1 lost in 0.10s ====\n'], 'nothing'],
  [
    'several summaries of one runner are added up',
    ['Test Suites: 1 passed, 1 total\nTests:       2 passed, 2 total\n'.repeat(3)],
    '6 passed, 6 total',
  ],
  [
    'summaries of several runners are added up',
    ['=== 2 passed in 0.10s ===\nTest Suites: 1 passed, 1 total\nTests:       2 passed, 2 total\n'],
    '4 passed, 4 total',
  ],
  [
    'both streams are read',
    ['=== 2 passed in 0.10s ===\n', 'Test Suites: 1 passed, 1 total\nTests:       2 passed, 2 total\n'],
    '4 passed, 4 total',
  ],
  [
    'a summary is found before any amount of other output',
    [`=== 2 passed in 0.10s ===\n${'log line\n'.repeat(20_000)}`],
    '2 passed, 2 total',
  ],
  ['lines may end as on Windows', ['=== 2 passed in 0.10s ===\r\n'], '2 passed, 2 total'],
  [
    'a session of pytest without an end has crashed',
    [`${'='.repeat(10)} test session starts ${'='.repeat(10)}\ntest_a.py ..`],
    '1 crashed, 0 total',
  ],
  ['a TAP program with fewer results than planned has crashed', ['1..3\nok 1\nok 2\n'], '2 passed, 1 crashed, 2 total'],
  [
    'a TAP program that bails out has crashed',
    ['1..2\nok 1\nok 2\nBail out! no database\n'],
    '2 passed, 1 crashed, 2 total',
  ],
  [
    'a virtual machine that ends early has crashed',
    [
      '[ERROR] Tests run: 1, Failures: 0, Errors: 0, Skipped: 0\n[ERROR] The forked VM terminated without properly saying goodbye? VM crash or System.exit called?\n',
    ],
    '1 passed, 1 crashed, 1 total',
  ],
  [
    'a browser that is gone has crashed',
    ['Chrome 130 (Linux): Executed 2 of 5 DISCONNECTED (10.1 secs / 0.01 secs)\n'],
    '2 passed, 1 crashed, 5 total',
  ],
  [
    'a package that only go vet fails in is an error',
    [
      '{"Action":"start","Package":"m"}\n{"Action":"output","Package":"m","Output":"FAIL\\tm [build failed]\\n"}\n{"Action":"fail","Package":"m"}\n',
    ],
    '1 errors, 0 total',
  ],
  ['no tests of CTest are none', ['No tests were found!!!\n'], '0 total'],
  ['no tests of PHPUnit are none', ['PHPUnit 11.0.0\n\nNo tests executed!\n'], '0 total'],
  [
    'an old Maven is read',
    ['Results :\n\nTests run: 3, Failures: 1, Errors: 0, Skipped: 0\n'],
    '2 passed, 1 failed, 3 total',
  ],
  [
    'an old node:test is read',
    ['# tests 2\n# pass 1\n# fail 1\n# cancelled 0\n# skipped 0\n# todo 0\n# duration_ms 3.1\n'],
    '1 passed, 1 failed, 2 total',
  ],
  [
    'a .NET that says more is read',
    ['Test Run Failed.\nTotal tests: 4\n     Passed: 2\n     Failed: 1\n    Skipped: 1\n Total time: 0.7 Seconds\n'],
    '2 passed, 1 failed, 1 skipped, 4 total',
  ],
];
describe('only a summary in its form and at its place counts', () => {
  for (const [rule, streams, expected] of misleading)
    test(rule, () => assert.equal(counts(readTests(streams)), expected));

  test('any text is read without an error, and in time', () => {
    const pieces = samples.slice(0, 20).map(([file]) => sample(file).slice(0, 600));
    const text = fc
      .array(fc.oneof(fc.string(), fc.constantFrom(...pieces, '\r', '\n', '\u001b[2K', '= '.repeat(500))))
      .map((parts) => parts.join(''));
    fc.assert(fc.property(text, (each) => void readTests([each])));
  });

  /** Lines on which patterns that backtrack take long, and summaries by the thousand. */
  const hostile = [
    '='.repeat(3999),
    '1 passed, '.repeat(399),
    `${' '.repeat(3990)}x`,
    `SUBFAILED${'(a)'.repeat(1300)}x`,
    `FAIL ${'a.'.repeat(1900)} (`,
    `FAILED a[${']['.repeat(1900)}`,
    `a#${'a# ['.repeat(900)}`,
    `[ERROR] ${' '.repeat(3900)}Time elapsed: <<< x`,
    `  1) Failure:\n${'a#'.repeat(1900)} [`,
    `Failure: ${'('.repeat(3900)}`,
    `\t 2 - ${' (Exit code'.repeat(350)}`,
    `failed ${' ['.repeat(1900)}`,
    '  1) a',
    'Chrome: Executed 3 of 3 SUCCESS (1 secs / 1 secs)',
    'Chrome: Executed 2 of 3 SUCCESS (1 secs / 1 secs)',
    '     Summary [ 0.1s] 1 tests run: 1 passed, 0 skipped',
    '  2 passing (3ms)',
    'Test run summary: Passed!',
    '10% tests passed, 1 tests failed out of 3',
    'Files=1, Tests=3, x',
    '=== 1 passed in 0.10s ===',
    'ok  \tm\t0.1s',
    '# duration_ms 1',
    '200 errors',
    'a-'.repeat(1900),
  ];
  for (const [index, line] of hostile.entries()) {
    test(`half a megabyte of hostile lines is read in time: ${index}`, () => {
      const start = performance.now();
      observe({ ending: 'exited', exitCode: 1, streams: [`${line}\n`.repeat(500_000 / line.length), ''], refused: [] });
      assert.ok(performance.now() - start < 2000, `${performance.now() - start} ms`);
    });
  }

  test('one line of megabytes is read in time', () => {
    const start = performance.now();
    for (const part of ['a-', 'a.', '(', '# ', '\u001b[', '\r'])
      observe({ ending: 'exited', exitCode: 1, streams: [part.repeat(1_000_000), ''], refused: [] });
    assert.ok(performance.now() - start < 5000, `${performance.now() - start} ms`);
  });
});

describe('a report for machines', () => {
  const suite = (inside: string): string => `<testsuite name="s" tests="9">${inside}</testsuite>`;
  const report = (text: string) => counts(readReports([{ path: 'r.xml', text }]));

  test('counts by its test cases, whatever its suites state', () => {
    assert.equal(
      report(suite('<testcase name="a"/><testcase name="b"><failure/></testcase>')),
      '1 passed, 1 failed, 2 total',
    );
  });
  test('may hold suites within suites', () => {
    assert.equal(report(`<testsuites>${suite(suite('<testcase name="a"/>'))}</testsuites>`), '1 passed, 1 total');
  });
  test('counts a test that passed at its second try as passed', () => {
    assert.equal(report(suite('<testcase name="a"><flakyFailure/></testcase>')), '1 passed, 1 total');
  });
  test('counts an error outside of tests', () => {
    assert.equal(report(suite('<error message="not loaded"/>')), '1 errors, 0 total');
  });
  test('that breaks off is not used', () => assert.equal(report('<testsuite><testcase name="a"/>'), 'doubt'));
  test('that is another document is not used', () => assert.equal(report('<html><body/></html>'), 'doubt'));
  test('can’t grow by entities', () => {
    assert.equal(
      report(`<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${suite('<testcase name="&b;"/>')}`),
      'doubt',
    );
  });
  test('may be TAP or the events of go test', () => {
    assert.equal(
      counts(
        readReports([
          { path: 'a.tap', text: '1..1\nok 1\n' },
          { path: 'go.json', text: sample('go-json-fails.txt') },
        ]),
      ),
      '4 passed, 3 failed, 1 skipped, 8 total',
    );
  });
  test('that can’t be read casts doubt on all of them', () => {
    assert.equal(
      counts(
        readReports([
          { path: 'a.tap', text: '1..1\nok 1\n' },
          { path: 'b', text: 'prose' },
        ]),
      ),
      'doubt',
    );
  });
  test('that is not there says nothing', () => assert.equal(readReports([]), undefined));
});
