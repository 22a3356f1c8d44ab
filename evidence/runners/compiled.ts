/** Cargo, nextest, CTest and .NET. */
import { tally } from '../test-counts.ts';
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

const cargoEnd =
  /^test result: (?:ok|FAILED)\. (\d+ passed; \d+ failed; \d+ ignored; \d+ measured; \d+ filtered out)(?:; finished in [\d.]+s)?$/;
const cargoWords: Words = {
  passed: 'passed',
  failed: 'failed',
  ignored: 'skipped',
  measured: 'nothing',
  'filtered out': 'deselected',
};

/** Reads the `test result:` of every program of tests. One that says `running 4 tests` and no result has crashed. */
function readCargo(lines: readonly string[]): Reading | undefined {
  const programs = partsUntil(lines, (line) => cargoEnd.test(line));
  const readings = programs.flatMap(({ part, end }): Reading[] => {
    const items = readItems(cargoEnd.exec(lines[end] ?? '')?.[1]?.split('; ') ?? [], cargoWords);
    const names = matches(part.slice(part.lastIndexOf('failures:') + 1), /^ {4}(\S.*)$/);
    return items ? [{ tests: tally(items), ...allNames(items.failed ? names : [], items.failed ?? 0) }] : [];
  });
  const begun = lines.filter((line) => /^running \d+ tests?$/.test(line)).length;
  if (begun > readings.length) readings.push({ tests: tally({ crashed: begun - readings.length, total: 0 }) });
  return together(readings);
}

const nextestEnd = /^ *Summary \[ *[\d.]+s\] (\d+)(?:\/(\d+))? tests? run: (\d+ .*)$/;
const nextestWords: Words = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'deselected',
  'timed out': 'failed',
  'exec failed': 'errors',
};

/** Reads `Summary [ 0.1s] 6 tests run: 5 passed, 1 failed, 2 skipped`. */
function readNextest(lines: readonly string[]): Reading | undefined {
  const runs = partsUntil(lines, (line) => nextestEnd.test(line));
  return together(
    runs.flatMap(({ part, end }, run): Reading[] => {
      const [, ran = '0', planned = ran, list = ''] = nextestEnd.exec(lines[end] ?? '') ?? [];
      const items = readItems(list.replaceAll(/ \([^()]*\)/g, '').split(', '), nextestWords);
      if (!items) return [];
      const names = distinct(
        matches(
          [...part, ...lines.slice(end, runs[run + 1]?.end)],
          /^ +(?:FAIL|TIMEOUT|SIGSEGV|SIGABRT|XFAIL) \[[^\]]*\] (?:\(.*?\) )?(\S+ \S.*)$/,
        ),
      );
      return [
        {
          tests: tally({ ...items, total: Number(planned) }),
          ...allNames(names, (items.failed ?? 0) + (items.errors ?? 0)),
        },
      ];
    }),
  );
}

const ctestEnd = /^\d+% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})$/;

/** Reads `67% tests passed, 1 tests failed out of 3`, and the lists under it. */
function readCtest(lines: readonly string[]): Reading | undefined {
  if (lines.includes('No tests were found!!!')) return { tests: tally({}), failures: [] };
  const runs = lines.flatMap((line, index) => (ctestEnd.test(line) ? [index] : []));
  return together(
    runs.map((end, run): Reading => {
      const [, failed = 0, total = 0] = (ctestEnd.exec(lines[end] ?? '') ?? []).map(Number);
      const after = lines.slice(end, runs[run + 1]);
      const names = matches(
        after,
        /^\t *\d+ - (.+ \((?:Failed|Timeout|SEGFAULT|Exit code [^()]{0,40}|Child aborted|Subprocess \w+|Not Run|ILLEGAL|NUMERICAL|BAD_COMMAND|OTHER_FAULT|INTERRUPT)\))(?: +\S.*)?$/,
      );
      const skipped = matches(after, /^\t *\d+ - (.+) \(Skipped\)/).length;
      // CTest leaves disabled tests out of its total.
      const disabled = matches(after, /^\t *\d+ - (.+) \((?:Not Run )?\(?Disabled\)/).length;
      const counts = { passed: Math.max(total - failed - skipped, 0), failed, skipped: skipped + disabled };
      return { tests: tally({ ...counts, total: total + disabled }), ...allNames(names, failed) };
    }),
  );
}

const dotnetEnd =
  /^(?:Passed|Failed|Skipped)! +- (Failed: +\d+, Passed: +\d+, Skipped: +\d+), Total: +(\d+), Duration: .* - \S+/;
/** The headings of the block that the newer platform writes, and the older one if it says more. */
const dotnetBlock =
  /^(?:Test run summary: (?:Passed|Failed|Zero tests ran|Aborted)|Test Run (?:Successful|Failed|Aborted)\.$)/;
const dotnetWords: Words = {
  Failed: 'failed',
  Passed: 'passed',
  Skipped: 'skipped',
  failed: 'failed',
  succeeded: 'passed',
  skipped: 'skipped',
};

/** Reads the line of each assembly, `Failed!  - Failed: 1, Passed: 2, …`, or the block of the newer platform. */
function readDotnet(lines: readonly string[]): Reading | undefined {
  const runs = partsUntil(lines, (line) => dotnetEnd.test(line) || dotnetBlock.test(line));
  return together(
    runs.flatMap(({ part, end }): Reading[] => {
      const [, list, total] = dotnetEnd.exec(lines[end] ?? '') ?? [];
      const counts = list
        ? { list: list.replaceAll(/: +/g, ': ').split(', '), total: Number(total) }
        : dotnetCounts(lines.slice(end + 1, end + 6));
      const items = counts && readItems(counts.list, dotnetWords);
      if (!items) return [];
      const names = matches(part, /^ *[Ff]ailed (\S.*?) (?:\[[^\]]{0,40}\]|\([^()]{0,40}\))$/);
      return [{ tests: tally({ ...items, total: counts.total }), ...allNames(names, items.failed ?? 0) }];
    }),
  );
}

function dotnetCounts(lines: readonly string[]): { list: string[]; total: number } | undefined {
  const total = /^ *(?:total|Total tests): (\d{1,9})$/.exec(lines[0] ?? '')?.[1];
  const rest = lines
    .slice(1)
    .findIndex((line) => !/^ +(?:failed|succeeded|skipped|Failed|Passed|Skipped): \d{1,9}$/.test(line));
  const list = lines.slice(1, rest < 0 ? undefined : rest + 1).map((line) => line.trim());
  return total === undefined ? undefined : { list, total: Number(total) };
}

export const nextest: Runner = {
  name: 'cargo nextest',
  reads: 'the `Summary` line and the names of what failed',
  over: ['cargo test'],
  read: readNextest,
};
export const cargo: Runner = {
  name: 'cargo test',
  reads: 'the `test result` of every program of tests, and the names of what failed',
  read: readCargo,
};
export const ctest: Runner = {
  name: 'CTest',
  reads: 'the summary and the lists of what failed and did not run',
  read: readCtest,
};
export const dotnet: Runner = {
  name: 'dotnet test',
  reads: 'the line of each assembly or the block of the newer platform, and the names of what failed',
  read: readDotnet,
};
