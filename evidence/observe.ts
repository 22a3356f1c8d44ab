/** What is known of a command that ended: its tests, what failed, and why it could not do its work. */
import { stripVTControlCharacters } from 'node:util';
import { findObstacle } from './find-obstacle.ts';
import type { CheckResult } from './gate.ts';
import { digestLines } from './output-lines.ts';
import { readReports, type Report } from './read-reports.ts';
import { readTests } from './read-tests.ts';
import type { Reading } from './runners/runner.ts';
import { failedOf } from './test-counts.ts';

interface Ended {
  ending: string;
  exitCode: number;
  /** Its output; undefined for a stream that is too long to be read whole. */
  streams: readonly (string | undefined)[];
  /** Hosts that the sandbox was refused. */
  refused: readonly string[];
  /** What its test runner wrote for machines, if that was looked for. It counts more than the output. */
  reports?: readonly Report[] | undefined;
}

const noReport: Reading = { doubt: 'no report was written where `counts` says' };
const tooLong: Reading = { doubt: 'its output is too long to read how many tests ran' };

/** A runner that broke off has no time to say so in its reports. */
function withCrash(reports: Reading, output: Reading | undefined): Reading {
  const crashed = output?.tests?.crashed ?? 0;
  return reports.tests && crashed > 0 ? { ...reports, tests: { ...reports.tests, crashed } } : reports;
}

/** More names than that, or longer ones, would not fit into a run's history. */
const maxFailures = 300;
const maxNameCharacters = 300;

/** The parts of a {@link CheckResult} that are read from what the command wrote. */
export function observe({
  ending,
  exitCode,
  streams,
  refused,
  reports,
}: Ended): Pick<CheckResult, 'tests' | 'doubt' | 'failures' | 'lines' | 'obstacle'> {
  const whole = streams.filter((text) => text !== undefined).map((text) => stripVTControlCharacters(text));
  const isWhole = whole.length === streams.length;
  const written = isWhole ? readTests(whole) : tooLong;
  const reading = reports ? withCrash(readReports(reports) ?? noReport, written) : written;
  const { tests, failures, doubt }: Reading = reading ?? {};
  const ranTests = (tests !== undefined && (tests.total > 0 || failedOf(tests) > 0)) || (failures?.length ?? 0) > 0;
  const obstacle = findObstacle({
    ending,
    exitCode,
    streams: whole,
    refused,
    ranTests,
    failedTests: tests ? failedOf(tests) : 0,
  });
  const lines = exitCode !== 0 && isWhole ? digestLines(whole) : undefined;
  const isShort =
    failures && failures.length <= maxFailures && failures.every(({ length }) => length <= maxNameCharacters);
  return {
    ...(tests && { tests }),
    ...(doubt !== undefined && { doubt }),
    ...(isShort && { failures }),
    ...(lines && { lines }),
    ...(obstacle && { obstacle }),
  };
}
