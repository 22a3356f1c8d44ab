/** Maven and Gradle. */
import { tally } from '../test-counts.ts';
import { allNames, partsUntil, together, type Reading, type Runner } from './runner.ts';

const mavenEnd =
  /^(?:\[(?:INFO|WARNING|ERROR)\] )?Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)(?:, Flakes: \d+)?$/;

/** Reads the total that Surefire and Failsafe write under `Results:`, for each module. */
function readMaven(lines: readonly string[]): Reading | undefined {
  const modules = partsUntil(lines, (line) => mavenEnd.test(line));
  const readings = modules.map(({ part, end }): Reading => {
    const [, total = 0, failed = 0, errors = 0, skipped = 0] = (mavenEnd.exec(lines[end] ?? '') ?? []).map(Number);
    const names = part.flatMap(mavenName);
    const passed = Math.max(total - failed - errors - skipped, 0);
    return { tests: tally({ passed, failed, errors, skipped, total }), ...allNames(names, failed + errors) };
  });
  const crashes = lines.filter((line) =>
    /^\[ERROR\] .*The forked VM terminated without (?:properly )?saying/.test(line),
  ).length;
  if (crashes > 0) readings.push({ tests: tally({ crashed: 1, total: 0 }) });
  return together(readings);
}

/** `[ERROR] SumsTest.bad -- Time elapsed: 0.7 s <<< FAILURE!`; old releases leave out the mark and the dashes. */
function mavenName(line: string): string[] {
  const end = line.indexOf('Time elapsed: ');
  if (end < 0 || !/ <<< (?:FAILURE|ERROR)!$/.test(line) || /^(?:\[ERROR\] )?Tests run:/.test(line)) return [];
  const name = line.slice(0, end).replace('[ERROR] ', '').trim();
  return [name.endsWith(' --') ? name.slice(0, -3) : name];
}

/** Gradle says how many tests there are only if one failed, so its reports are read instead. */
function readGradle(lines: readonly string[]): Reading | undefined {
  if (!lines.some((line) => /^BUILD (?:SUCCESSFUL|FAILED) in \d/.test(line))) return undefined;
  return { doubt: 'Gradle writes its counts only to its reports' };
}

export const maven: Runner = {
  name: 'Maven',
  reads: 'the totals of Surefire and Failsafe, and the names of what failed; better its reports',
  read: readMaven,
};
export const gradle: Runner = { name: 'Gradle', reads: 'only its reports', read: readGradle };
