/** go test, as text and as JSON, and gotestsum. */
import { z } from 'zod';
import { tally } from '../test-counts.ts';
import { allNames, matches, partsUntil, readItems, together, type Reading, type Runner, type Words } from './runner.ts';

const GoEvent = z.object({
  Action: z.string(),
  Package: z.string().default(''),
  Test: z.string().optional(),
  Output: z.string().default(''),
});
type GoEvent = z.infer<typeof GoEvent>;

/** A program of tests that ends in the middle: the tests after that one are missing from its output. */
const goCrash = /^(?:panic: |fatal error: |signal: |exit status [^1])/;

/** Reads `go test -json`: the last action of each test. */
function readGoJson(lines: readonly string[]): Reading | undefined {
  const events = lines.filter((line) => /^\{.*"Action":"/.test(line)).flatMap(parseGoEvent);
  if (!events.some(({ Action }) => Action === 'start' || Action === 'run' || Action === 'build-fail')) return undefined;
  const tests = new Map<string, string>();
  const packages = new Map<string, string>();
  const crashed = new Set<string>();
  for (const { Action, Package, Test, Output } of events) {
    if (Test !== undefined && /^(?:run|pass|fail|skip)$/.test(Action)) tests.set(`${Package} ${Test}`, Action);
    if (Test === undefined && /^(?:pass|fail|skip)$/.test(Action)) packages.set(Package, Action);
    if (goCrash.test(Output)) crashed.add(Package);
  }
  const ended = (action: string): string[] => [...tests].filter(([, last]) => last === action).map(([name]) => name);
  const failed = ended('fail');
  const open = ended('run');
  // A package that fails without a failed test could not be built or set up.
  const explained = new Set([...failed, ...open].map((name) => name.split(' ', 1)[0]));
  const broken = [...packages].filter(([name, last]) => last === 'fail' && !explained.has(name)).map(([name]) => name);
  const crashes = [...crashed].filter((name) => packages.get(name) !== 'pass').length;
  const counts = { passed: ended('pass').length, failed: failed.length, skipped: ended('skip').length };
  return {
    tests: tally({ ...counts, errors: broken.length, crashed: Math.max(crashes, open.length), total: tests.size }),
    failures: [...failed, ...open, ...broken],
  };
}

function parseGoEvent(line: string): GoEvent[] {
  try {
    const event = GoEvent.safeParse(JSON.parse(line));
    return event.success ? [event.data] : [];
  } catch {
    return [];
  }
}

const goPackage = /^(ok|FAIL) *\t(\S+)(?:\t| \[(?:build|setup) failed\])/;

/** Reads `go test`. Only `-v` names every test; without it, what failed is known, but not how many tests there are. */
function readGo(lines: readonly string[]): Reading | undefined {
  const isVerbose = lines.some((line) => /^=== RUN {3}\S/.test(line));
  const parts = partsUntil(lines, (line) => goPackage.test(line));
  return together(
    parts.map(({ part, end }): Reading => {
      const [, verdict, name = ''] = goPackage.exec(lines[end] ?? '') ?? [];
      const failed = matches(part, /^ *--- FAIL: (\S+)/);
      const isBroken = verdict === 'FAIL' && failed.length === 0;
      const crashed = verdict === 'FAIL' && part.some((line) => goCrash.test(line)) ? 1 : 0;
      const failures = isBroken ? [name] : failed.map((test) => `${name} ${test}`);
      if (crashed === 0 && !isVerbose)
        return { doubt: 'go test says how many tests there are only with -v or -json', failures };
      const passed = matches(part, /^ *--- (PASS): /).length;
      const skipped = matches(part, /^ *--- (SKIP): /).length;
      const counts = { passed, failed: failed.length, skipped, errors: isBroken ? 1 : 0, crashed };
      return { tests: tally({ ...counts, total: passed + skipped + failed.length }), failures };
    }),
  );
}

const gotestsumEnd =
  /^DONE (?:(\d+) runs?, )?(\d{1,9}) tests?((?:, \d{1,9} (?:skipped|failures?|errors?))*) in [\d.ms]+$/;
const gotestsumWords: Words = {
  skipped: 'skipped',
  failure: 'failed',
  failures: 'failed',
  error: 'nothing',
  errors: 'nothing',
};

/** Reads `DONE 6 tests, 1 skipped, 1 failure in 0.1s`. A package that can't be built counts as a failure there. */
function readGotestsum(lines: readonly string[]): Reading | undefined {
  const runs = partsUntil(lines, (line) => gotestsumEnd.test(line));
  return together(
    runs.flatMap(({ part, end }): Reading[] => {
      const [, repeats, total = '0', list = ''] = gotestsumEnd.exec(lines[end] ?? '') ?? [];
      const items = readItems(list.split(', ').slice(1), gotestsumWords);
      if (!items) return [];
      if (repeats !== undefined) return [{ doubt: 'gotestsum ran failed tests again and counts every run' }];
      const { failed: failures = 0, skipped = 0 } = items;
      const names = matches(part, /^=== FAIL: (.+) \([\d.]+s\)$/).map((name) => name.trim());
      const broken = names.filter((name) => !name.includes(' ')).length;
      const inTests = Math.max(failures - broken, 0);
      return [
        {
          tests: tally({
            passed: Math.max(Number(total) - inTests - skipped, 0),
            failed: inTests,
            skipped,
            errors: Math.min(broken, failures),
            total: Number(total),
          }),
          ...allNames(names, failures),
        },
      ];
    }),
  );
}

export const gotestsum: Runner = {
  name: 'gotestsum',
  reads: 'the `DONE` line and the list of what failed',
  over: ['go test -json', 'go test'],
  read: readGotestsum,
};
export const goJson: Runner = {
  name: 'go test -json',
  reads: 'the events of every test',
  over: ['go test'],
  read: readGoJson,
};
export const go: Runner = {
  name: 'go test',
  reads: 'with `-v`, every test; else the names of what failed, without counts',
  read: readGo,
};
