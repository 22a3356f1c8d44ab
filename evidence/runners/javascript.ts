/** jest, vitest, mocha, Jasmine, Karma and Node's own runner. */
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

const words: Words = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'skipped',
  pending: 'skipped',
  todo: 'skipped',
  'expected fail': 'expectedFailures',
  total: 'nothing',
};

const jestEnd = /^Tests: +(\d.*)$/;
const jestSuites = /^Test Suites: +\d.* total$/;

/** Reads `Tests: 1 failed, 2 passed, 3 total` under `Test Suites: …`. */
function readJest(lines: readonly string[]): Reading | undefined {
  const runs = partsUntil(lines, (line, index) => jestEnd.test(line) && jestSuites.test(lines[index - 1] ?? ''));
  return together(
    runs.flatMap(({ part, end }): Reading[] => {
      const items = readItems(jestEnd.exec(lines[end] ?? '')?.[1]?.split(', ') ?? [], words);
      if (!items) return [];
      const names = distinct(jestNames(part));
      const files = names.filter((name) => name.endsWith(` › ${brokenFile}`));
      const { failures } = allNames(names, (items.failed ?? 0) + files.length);
      const isNamed = names.length > 0 || !/ [1-9]\d* failed/.test(lines[end - 1] ?? '');
      const { total } = tally(items);
      return [{ tests: tally({ ...items, errors: files.length, total }), ...(isNamed && failures && { failures }) }];
    }),
  );
}

const brokenFile = 'Test suite failed to run';

/** `FILE › NAME` for each heading of a failure, which stands under the heading of its file. */
function jestNames(lines: readonly string[]): string[] {
  let file = '';
  return lines.flatMap((line) => {
    if (/^ ?(?:FAIL|PASS) /.test(line))
      file = line.split(' ').findLast((word) => /^[^()].*\.\w{1,8}$/.test(word)) ?? file;
    const name = /^ {2}● (.+)$/.exec(line)?.[1];
    return name === undefined || /^(?:Console|Validation \w+)$/.test(name) ? [] : [`${file} › ${name}`];
  });
}

const vitestEnd = /^ +Tests {2}(?:no tests|(\d.*?) \((\d+)\))$/;
const vitestFiles = /^ +Test Files {2}\S/;

/** Reads `Tests  1 failed | 2 passed (3)` under `Test Files  …`. */
function readVitest(lines: readonly string[]): Reading | undefined {
  const runs = partsUntil(lines, (line, index) => vitestEnd.test(line) && vitestFiles.test(lines[index - 1] ?? ''));
  return together(
    runs.flatMap(({ part, end }): Reading[] => {
      const list = vitestEnd.exec(lines[end] ?? '')?.[1];
      const items = readItems(list?.split(' | ') ?? [], words);
      if (!items) return [];
      const failed = distinct(matches(part, /^ FAIL {2}(\S.*)$/));
      const files = failed.filter((name) => !name.includes(' > '));
      const outside = Number(/^ +Errors {2}(\d+) error/.exec(lines[end + 1] ?? '')?.[1] ?? 0);
      const errors = files.length + outside;
      const { failures } = allNames(failed, (items.failed ?? 0) + files.length);
      const tests = tally({ ...items, errors });
      return [{ tests: { ...tests, total: tests.total - errors }, ...(failures && outside === 0 && { failures }) }];
    }),
  );
}

/** Reads `2 passing (3ms)`, `1 pending` and `1 failing`, and the numbered list of what failed. */
function readMocha(lines: readonly string[]): Reading | undefined {
  const runs = lines.flatMap((line, index) =>
    /^ {2,}\d{1,9} passing \([\d.]+(?:ms|s|m|h|d)\)$/.test(line) ? [index] : [],
  );
  return together(
    runs.flatMap((index, run): Reading[] => {
      const counts = lines
        .slice(index, index + 3)
        .map((line) => /^ {2,}(\d{1,9} (?:passing|pending|failing))\b/.exec(line)?.[1]);
      const items = readItems(counts.slice(0, firstGap(counts)).map(String), {
        passing: 'passed',
        pending: 'skipped',
        failing: 'failed',
      });
      if (!items) return [];
      const failed = numberedNames(lines.slice(index, runs[run + 1]));
      return [{ tests: tally(items), ...allNames(failed, items.failed ?? 0) }];
    }),
  );
}

const firstGap = (list: readonly unknown[]): number => {
  const gap = list.indexOf(undefined);
  return gap < 0 ? list.length : gap;
};

/** The names of `  1) suite` and the indented lines under it, up to one that ends with a colon. */
function numberedNames(lines: readonly string[]): string[] {
  return lines.flatMap((line, index) => {
    const first = /^ {2}\d{1,6}\) (.+)$/.exec(line)?.[1];
    if (first === undefined) return [];
    const name = [first];
    for (const next of lines.slice(index + 1, index + 12)) {
      if (name.at(-1)?.endsWith(':') || !/^ {7}/.test(next)) break;
      name.push(next.trim());
    }
    return [name.join(' ').replace(/:$/, '')];
  });
}

const jasmineWords: Words = {
  spec: 'passed',
  specs: 'passed',
  failure: 'failed',
  failures: 'failed',
  'pending spec': 'skipped',
  'pending specs': 'skipped',
};
const jasmineEnd = /^(\d{1,9} specs?, \d{1,9} failures?(?:, \d{1,9} pending specs?)?)$/;

/** Reads `3 specs, 1 failure, 1 pending spec`, which is followed by the time. */
function readJasmine(lines: readonly string[]): Reading | undefined {
  const runs = partsUntil(
    lines,
    (line, index) => jasmineEnd.test(line) && /^Finished in [\d.]+ seconds?$/.test(lines[index + 1] ?? ''),
  );
  return together(
    runs.flatMap(({ part, end }): Reading[] => {
      const items = readItems(lines[end]?.split(', ') ?? [], jasmineWords);
      if (!items) return [];
      const { passed: total = 0, failed = 0, skipped = 0 } = items;
      const list = part.slice(part.findLastIndex((line) => line === 'Failures:') + 1);
      const pending = list.findIndex((line) => line === 'Pending:');
      const names = matches(pending < 0 ? list : list.slice(0, pending), /^\d{1,6}\) (.+)$/);
      return [
        {
          tests: tally({ failed, skipped, passed: Math.max(total - failed - skipped, 0), total }),
          ...allNames(names, failed),
        },
      ];
    }),
  );
}

const karmaEnd =
  /^(?:(\S[^:]{0,80}): )?Executed (\d{1,9}) of (\d{1,9})((?: \([^()]{1,40}\))*)(?: (SUCCESS|ERROR|DISCONNECTED))?(?: \([\d.]+ (?:secs?|mins?) \/ .+\))?$/;

/** With more runs of browsers, what failed is not named. */
const maxNamedRuns = 20;

/** Reads the last `Executed 3 of 3 (1 FAILED)` of each browser. What comes after all were executed is another run. */
function readKarma(lines: readonly string[]): Reading | undefined {
  const runs: { browser: string; tests: TestCounts }[] = [];
  const open = new Map<string, number>();
  const failed: string[] = [];
  for (const line of lines) {
    const match = karmaEnd.exec(line);
    if (!match && line.endsWith(' FAILED')) failed.push(line);
    if (!match) continue;
    const { browser, tests, isDone } = karmaRun(match);
    const index = open.get(browser) ?? runs.length;
    runs[index] = { browser, tests };
    if (isDone) open.delete(browser);
    else open.set(browser, index);
  }
  return together(
    runs.map(({ browser, tests }): Reading => {
      if (runs.length > maxNamedRuns) return { tests };
      return { tests, ...allNames(distinct(failed.filter((line) => line.startsWith(`${browser} `))), tests.failed) };
    }),
  );
}

function karmaRun([, browser = '', executed, total, notes = '', end]: RegExpExecArray): {
  browser: string;
  tests: TestCounts;
  isDone: boolean;
} {
  const noted = (form: RegExp): number => Number(form.exec(notes)?.[1] ?? 0);
  const [failed, skipped] = [noted(/\((\d+) FAILED\)/), noted(/\(skipped (\d+)\)/)];
  const isDone = Number(executed) + skipped >= Number(total);
  const passed = Math.max(Number(executed) - failed, 0);
  const crashed = end === 'ERROR' || end === 'DISCONNECTED' || !isDone ? 1 : 0;
  return { browser, tests: tally({ passed, failed, skipped, crashed, total: Number(total) }), isDone };
}

const nodeLine = /^[#ℹ] (tests|suites|pass|fail|cancelled|skipped|todo) (\d{1,9})$/;

/**
 * Reads the block `# tests 4` to `# duration_ms …`, which has `ℹ` in place of `#` in the spec reporter. Old releases
 * leave out `suites`.
 */
function readNode(lines: readonly string[]): Reading | undefined {
  const runs = partsUntil(
    lines,
    (line, index) => /^[#ℹ] duration_ms [\d.]+$/.test(line) && nodeBlock(lines, index) !== undefined,
  );
  return together(
    runs.flatMap(({ part, end }, run): Reading[] => {
      const block = nodeBlock(lines, end);
      if (!block) return [];
      const count = (key: string): number => block.get(key) ?? 0;
      const failed = count('fail') + count('cancelled');
      const list = lines.slice(end, runs[run + 1]?.end);
      const names = list.includes('✖ failing tests:') ? specNames(list) : tapNames(part);
      const skipped = count('skipped') + count('todo');
      return [
        { tests: tally({ passed: count('pass'), failed, skipped, total: count('tests') }), ...allNames(names, failed) },
      ];
    }),
  );
}

/** The counts of the lines above `end`, if they are a whole block. */
function nodeBlock(lines: readonly string[], end: number): Map<string, number> | undefined {
  const counts = new Map<string, number>();
  for (let index = end - 1; index >= 0; index -= 1) {
    const [, key, count] = nodeLine.exec(lines[index] ?? '') ?? [];
    if (key === undefined || counts.has(key)) break;
    counts.set(key, Number(count));
  }
  return ['tests', 'pass', 'fail', 'cancelled', 'skipped', 'todo'].every((key) => counts.has(key)) ? counts : undefined;
}

/** `test at a.test.mjs:2:1`, then `✖ name (4.1ms)` */
function specNames(lines: readonly string[]): string[] {
  return lines.flatMap((line, index) => {
    const file = /^test at (.{1,400}):\d+:\d+$/.exec(line)?.[1];
    const name = /^✖ (.*?)(?: \([\d.]+ms\))?$/.exec(lines[index + 1] ?? '')?.[1];
    return file === undefined || name === undefined ? [] : [`${file}: ${name}`];
  });
}

/** `not ok 1 - name` at any depth, but not of suites, which are no tests. */
function tapNames(lines: readonly string[]): string[] {
  return lines.flatMap((line, index) => {
    const name = /^ *not ok \d+ - (.*)$/.exec(line)?.[1];
    if (name === undefined || / # (?:todo|skip)\b/i.test(name)) return [];
    const details = lines.slice(index + 1, index + 12);
    const end = details.findIndex((each) => each.trim() === '...');
    return details.slice(0, Math.max(end, 0)).some((each) => each.trim() === "type: 'suite'") ? [] : [name];
  });
}

export const jest: Runner = {
  name: 'jest',
  reads: 'the summary, the names of what failed, and files that did not run',
  read: readJest,
};
export const vitest: Runner = {
  name: 'vitest',
  reads: 'the summary, the names of what failed, and files that did not run',
  read: readVitest,
};
export const mocha: Runner = {
  name: 'mocha',
  reads: 'the summary and the list of what failed, as the `spec` and `dot` reporters write them',
  read: readMocha,
};
export const jasmine: Runner = { name: 'Jasmine', reads: 'the summary and the list of what failed', read: readJasmine };
export const karma: Runner = {
  name: 'Karma',
  reads: 'the last line of each browser, and the names of what failed',
  read: readKarma,
};
export const nodeTest: Runner = {
  name: 'node:test',
  reads: 'the block of counts of the `spec` and `tap` reporters, and the names of what failed',
  over: ['TAP'],
  read: readNode,
};
