/** RSpec, minitest, test-unit and PHPUnit. */
import { tally } from '../test-counts.ts';
import { allNames, matches, partsUntil, readItems, together, type Reading, type Runner, type Words } from './runner.ts';

const rspecEnd =
  /^(\d{1,9} examples?, \d{1,9} failures?(?:, \d{1,9} pending)?(?:, \d{1,9} errors? occurred outside of examples)?)$/;
const rspecWords: Words = {
  example: 'passed',
  examples: 'passed',
  failure: 'failed',
  failures: 'failed',
  pending: 'skipped',
  'error occurred outside of examples': 'errors',
  'errors occurred outside of examples': 'errors',
};

/** Reads `4 examples, 1 failure, 2 pending` under `Finished in …`. */
function readRspec(lines: readonly string[]): Reading | undefined {
  const runs = lines.flatMap((line, index) =>
    rspecEnd.test(line) && /^Finished in .* seconds? \(/.test(lines[index - 1] ?? '') ? [index] : [],
  );
  return together(
    runs.flatMap((index, run): Reading[] => {
      const items = readItems(lines[index]?.split(', ') ?? [], rspecWords);
      if (!items) return [];
      const { passed: total = 0, failed = 0, skipped = 0, errors = 0 } = items;
      const names = lines.slice(index, runs[run + 1]).flatMap((line) => {
        const [, place, name] = /^rspec (\S.*?)(?::\d+|\[[\d:]+\])? # (.*)$/.exec(line) ?? [];
        return place === undefined ? [] : [`${place} # ${name ?? ''}`];
      });
      const tests = tally({ failed, skipped, errors, passed: Math.max(total - failed - skipped, 0), total });
      return [{ tests, ...(errors === 0 && allNames(names, failed)) }];
    }),
  );
}

const rubyEnd = /^(\d{1,9} (?:runs|tests), \d{1,9} assertions, .*)$/;
const rubyWords: Words = {
  runs: 'passed',
  tests: 'passed',
  assertions: 'nothing',
  failures: 'failed',
  errors: 'errors',
  skips: 'skipped',
  pendings: 'skipped',
  omissions: 'skipped',
  notifications: 'nothing',
};

/** Reads `4 runs, 2 assertions, 1 failures, 1 errors, 1 skips` (minitest) and the same of test-unit. */
function readRuby(lines: readonly string[]): Reading | undefined {
  const runs = partsUntil(lines, (line) => rubyEnd.test(line));
  return together(
    runs.flatMap(({ part, end }): Reading[] => {
      const items = readItems(lines[end]?.split(', ') ?? [], rubyWords);
      if (!items) return [];
      const { passed: total = 0, failed = 0, skipped = 0, errors = 0 } = items;
      const listed = part.filter(
        (_, index) =>
          /^ *\d+\) (?:Failure|Error):$/.test(part[index - 1] ?? '') ||
          /^(?:Failure|Error):$/.test(part[index - 1] ?? ''),
      );
      const names = [...listed.flatMap(minitestName), ...matches(part, /^(?:Failure|Error): ([^\s()]+\([^\s()]+\))/)];
      const passed = Math.max(total - failed - errors - skipped, 0);
      return [{ tests: tally({ passed, failed, errors, skipped, total }), ...allNames(names, failed + errors) }];
    }),
  );
}

/** `TestSums#test_bad [sums.rb:4]:`, or `TestSums#test_bad:` */
function minitestName(line: string): string[] {
  if (!/^[^\s#]+#\S/.test(line)) return [];
  const name = line.replace(/:$/, '');
  return [name.endsWith(']') && name.includes(' [') ? name.slice(0, name.lastIndexOf(' [')) : name];
}

const phpunitOk = /^OK \((\d{1,9}) tests?, \d{1,9} assertions?\)$/;
const phpunitHeading = /^(?:FAILURES!|ERRORS!|WARNINGS!|OK, but .*!)$/;
const phpunitWords: Words = {
  Tests: 'passed',
  Assertions: 'nothing',
  Errors: 'errors',
  Failures: 'failed',
  Skipped: 'skipped',
  Incomplete: 'skipped',
  Risky: 'nothing',
  Warnings: 'nothing',
  Deprecations: 'nothing',
  Notices: 'nothing',
  'PHPUnit Deprecations': 'nothing',
  'PHPUnit Notices': 'nothing',
  'PHPUnit Warnings': 'nothing',
};

/** Reads `OK (3 tests, 3 assertions)`, or `Tests: 6, Assertions: 2, Failures: 1.` under a heading. */
function readPhpunit(lines: readonly string[]): Reading | undefined {
  if (lines.includes('No tests executed!')) return { tests: tally({}), failures: [] };
  const runs = partsUntil(
    lines,
    (line, index) =>
      phpunitOk.test(line) || (line.startsWith('Tests: ') && phpunitHeading.test(lines[index - 1] ?? '')),
  );
  return together(
    runs.flatMap(({ part, end }): Reading[] => {
      const line = lines[end] ?? '';
      const ok = phpunitOk.exec(line)?.[1];
      const items =
        ok === undefined ? readItems(line.replace(/\.$/, '').split(', '), phpunitWords) : { passed: Number(ok) };
      if (!items) return [];
      const { passed: total = 0, failed = 0, skipped = 0, errors = 0 } = items;
      const names = phpunitNames(part);
      const passed = Math.max(total - failed - errors - skipped, 0);
      return [{ tests: tally({ passed, failed, errors, skipped, total }), ...allNames(names, failed + errors) }];
    }),
  );
}

/** The numbered names under `There was 1 failure:` and `There were 2 errors:`, but not under the other headings. */
function phpunitNames(lines: readonly string[]): string[] {
  let isFailed = false;
  return lines.flatMap((line) => {
    const heading = /^There (?:was|were) \d+ (.*):$/.exec(line)?.[1];
    if (heading !== undefined) isFailed = /^(?:failure|error)s?$/.test(heading);
    const name = /^\d{1,6}\) (\S.*::.*)$/.exec(line)?.[1];
    return isFailed && name !== undefined ? [name] : [];
  });
}

export const rspec: Runner = { name: 'RSpec', reads: 'the summary and the list of failed examples', read: readRspec };
export const minitest: Runner = {
  name: 'minitest',
  reads: 'the summary and the names of what failed; Rails and test-unit write the same',
  read: readRuby,
};
export const phpunit: Runner = {
  name: 'PHPUnit',
  reads: 'the summary and the lists of failures and errors',
  read: readPhpunit,
};
