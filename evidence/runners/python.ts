/** pytest, and everything that reports as unittest does. tox and nox show the output of these. */
import { tally, type TestCounts } from '../test-counts.ts';
import {
  allNames,
  distinct,
  matches,
  partsUntil,
  readItems,
  together,
  type Reading,
  type Runner,
  type Words,
} from './runner.ts';

const pytestWords: Words = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'skipped',
  xfailed: 'expectedFailures',
  xpassed: 'unexpectedPasses',
  deselected: 'deselected',
  error: 'errors',
  errors: 'errors',
  warning: 'nothing',
  warnings: 'nothing',
  rerun: 'nothing',
  'subtests passed': 'nothing',
  'subtest passed': 'nothing',
};

/** `== 2 passed, 1 skipped in 0.31s ==`; `-q` leaves out the rules. */
const pytestEnd = /^(=+ )?(no tests ran|\d[\da-z, ]{1,200}) in \d+\.\d\ds(?: \(\d+:\d\d:\d\d\))?( =+)?$/;
const pytestStart = /^=+ test session starts =+$/;
/** Results as dots and letters. */
const pytestResults = /^(?:\S+\.py )?([.FEsxXRu,-]+)(?: +\[ *\d+%\])?$/;
/** What else stands before a summary without rules. */
const pytestList = /^(?:ERROR|FAILED|SUBFAILED\S*) \S|^!+ .+ !+$/;

/**
 * The summary of a session is its last line that looks like one, because a test may have printed others before. Where
 * no line says that a session begins, one has ended if its summary has as many results as there are dots and letters.
 */
function readPytest(lines: readonly string[]): Reading | undefined {
  const sessions: Reading[] = [];
  let [start, begun, marks] = [0, 0, 0];
  let hasProgress = false;
  let end: { index: number; counts: Partial<TestCounts>; isWhole: boolean } | undefined;
  const close = (next: number): void => {
    if (end) sessions.push(readSession(lines.slice(start, end.index), end.counts));
    [start, marks, hasProgress, end] = [next, 0, false, undefined];
  };
  lines.forEach((line, index) => {
    const [, rule, items = ''] = pytestEnd.exec(line) ?? [];
    const counts = items && readItems(items === 'no tests ran' ? [] : items.split(', '), pytestWords);
    const results = pytestResults.exec(line)?.[1];
    if (pytestStart.test(line)) {
      close(index);
      begun += 1;
    } else if (counts && (rule !== undefined || hasProgress || /^(?:no tests ran|\d+ deselected)$/.test(items))) {
      end = { index, counts, isWhole: tally(counts).total === marks };
    } else if (results !== undefined || pytestList.test(line)) {
      if (end?.isWhole && begun === 0) close(index);
      hasProgress = true;
      marks += results?.length ?? 0;
    }
  });
  close(lines.length);
  if (begun > sessions.length) sessions.push({ tests: tally({ crashed: begun - sessions.length, total: 0 }) });
  return together(sessions);
}

/**
 * Failed subtests, errors while collecting and errors after a test are counted by pytest, but they are not tests of
 * their own.
 */
function readSession(lines: readonly string[], counts: Partial<TestCounts>): Reading {
  const list = lines.slice(lines.findLastIndex((line) => /^=+ short test summary info =+$/.test(line)) + 1);
  const failed = matches(
    list,
    /^(?:FAILED|ERROR|SUBFAILED(?:\([^)]*\)|\[[^\]]*\])*) ([^\s[]+\[.*?\](?= - |$)|\S.*?)(?: - .*)?$/,
  );
  const subtests = list.filter((line) => line.startsWith('SUBFAILED')).length;
  const collecting = matches(list, /^ERROR (\S.*?)(?: - .*)?$/).filter((name) => !name.includes('::')).length;
  const after = lines.filter((line) => /^_+ ERROR at teardown of .* _+$/.test(line)).length;
  const whole = tally(counts);
  const tests = tally({ ...counts, total: whole.total - subtests - collecting - after });
  const { failures } = allNames(failed, (counts.failed ?? 0) + (counts.errors ?? 0));
  return { tests, ...(failures && { failures: distinct(failed) }) };
}

const unittestWords: Words = {
  failures: 'failed',
  errors: 'errors',
  skipped: 'skipped',
  SKIP: 'skipped',
  'expected failures': 'expectedFailures',
  expectedFailures: 'expectedFailures',
  'unexpected successes': 'unexpectedPasses',
  unexpectedSuccesses: 'unexpectedPasses',
  successes: 'nothing',
  todos: 'nothing',
};
const unittestRan = /^Ran (\d{1,9}) tests? in \d[\d.]*s$/;
const unittestEnd = /^(?:OK|FAILED|PASSED|NO TESTS RAN)(?: \((.*)\))?$/;

/** Reads `Ran 12 tests in 0.1s` under a rule, and the verdict that follows it. */
function readUnittest(lines: readonly string[]): Reading | undefined {
  const runs = partsUntil(lines, (line, index) => unittestRan.test(line) && /^-{50,}$/.test(lines[index - 1] ?? ''));
  const readings = runs.flatMap(({ part, end }): Reading[] => {
    const verdict = unittestEnd.exec(lines.slice(end + 1, end + 4).find((line) => line !== '') ?? '');
    const items = verdict && readItems(verdict[1]?.split(', ') ?? [], unittestWords);
    return items ? [readRun(part, Number(unittestRan.exec(lines[end] ?? '')?.[1] ?? 0), items)] : [];
  });
  return together(readings);
}

/** A test with several failed subtests has several failures, so the failures can be more than the tests. */
function readRun(lines: readonly string[], ran: number, items: Partial<TestCounts>): Reading {
  const headed = lines.filter((_, index) => /^={50,}$/.test(lines[index - 1] ?? ''));
  const failed = matches(headed, /^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (\S+(?: \([^()\s]+\))?)/);
  const { errors = 0, failed: failures = 0, skipped = 0, expectedFailures = 0, unexpectedPasses = 0 } = items;
  const all = failures + errors;
  const named = allNames(failed, all).failures ?? allNames(failed, all + unexpectedPasses).failures;
  const tests = named ? distinct(failed).length : Math.min(all + unexpectedPasses, ran);
  const passed = Math.max(ran - tests - skipped - expectedFailures, 0);
  return { tests: tally({ ...items, passed, total: ran }), ...(named && { failures: distinct(failed) }) };
}

export const pytest: Runner = {
  name: 'pytest',
  reads: 'the summary line, and the list of what failed',
  read: readPytest,
};
export const unittest: Runner = {
  name: 'unittest',
  reads: '`Ran 12 tests in 0.1s` and the verdict under it; Django, nose, nose2 and trial write the same',
  read: readUnittest,
};
