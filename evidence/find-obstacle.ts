/** Finds out from how a command ended, and from what it wrote, why it could not do its work. */
import { describeEnding } from '../base/command-endings.ts';
import type { Obstacle } from './obstacles.ts';

/** How a command ended and what it wrote. */
interface Ended {
  exitCode: number;
  ending: string;
  streams: readonly string[];
  /** Hosts that the sandbox was refused. */
  refused: readonly string[];
  /** Whether a test runner ran tests, and how many of them failed. */
  ranTests: boolean;
  failedTests: number;
}

/** What a shell or make says of a program, with the exit code 127. Programs of the repository are named by a path. */
const notFound = /(?:^|: )['‘]?([^\s:'’]+)['’]?: (?:(?:command )?not found|No such file or directory)$/;
const saysNotFound = /\b(?:Error|code|status) 127\b/;
/** Others that say so, with other exit codes. */
const missingProgram: readonly RegExp[] = [
  /^\S*python[\d.]*: No module named ['"]?(pytest|tox|nox|nose2?|coverage|ruff|mypy|flake8|pylint|black|isort|pyright|build|pip|poetry|uv|hatch|pre_commit|trial|behave)\b/,
  /^error: no such command: `([^`/]+)`/,
  /\bcommand not found: ([^\s/]+)$/,
  /exec: "([^"/]+)": executable file not found in \$PATH/,
  /\bspawn ([^\s/]+) ENOENT$/,
  /^ERROR: (JAVA_HOME) is (?:not set|set to an invalid directory)/,
];
const failedDownload: readonly RegExp[] = [
  /(?:Could not resolve (?:host|proxy)|Temporary failure in name resolution|Name or service not known|Network is unreachable|nodename nor servname provided).*/,
  /\b(?:getaddrinfo |request to \S+ failed.*)?(?:ENOTFOUND|EAI_AGAIN|ENETUNREACH)\b.*/,
  /\bdial tcp: lookup \S+.*/,
  /\b(?:Could not (?:transfer|resolve|find) artifact|Could not (?:GET|HEAD) 'https?:|java\.net\.UnknownHostException).*/,
  /\b(?:Failed to establish a new connection|Max retries exceeded with url|ProxyError|Tunnel connection failed).*/,
  // With what was fetched. Without it, a program of the repository may have said so of a request of its own.
  /\b[Ff]ailed to (?:download|fetch):? (?:from )?(?:[`'"]|https?:).*/,
  /\bUnable to connect to (?:the server|deb|\S+:).*/,
  /\bCONNECT tunnel failed, response \d+/,
  /\bCould not (?:reach host|fetch specs from) .*/,
];

/** The signals by which programs end: interrupted, aborted, killed, at a fault of memory or arithmetic, at a limit. */
const signals: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14, 15, 24, 25, 31]);

/** Finds what kept a failed command from its work; undefined if it did its work. */
export function findObstacle(ended: Ended): Obstacle | undefined {
  const { ending, exitCode, streams, refused, ranTests, failedTests } = ended;
  if (ending !== 'exited')
    return { kind: ending === 'deadline' ? 'deadline' : 'limit', what: `it ${describeEnding(ended)}` };
  if (exitCode === 0) return undefined;
  // Some runners exit with the number of tests that failed.
  if (signals.has(exitCode - 128) && exitCode !== failedTests)
    return { kind: 'crash', what: `it was ended by signal ${exitCode - 128}` };
  if (ranTests) return undefined;
  const lines = streams.flatMap((stream) => stream.slice(-200_000).split(/\r?\n/)).map((line) => line.slice(0, 500));
  const program = findProgram(lines, exitCode);
  if (program !== undefined) return { kind: 'program-missing', what: `${program} is not installed` };
  const download = find(lines, failedDownload);
  const host = refused.find((each) => streams.some((stream) => stream.includes(each.replace(/:\d+$/, ''))));
  if (host !== undefined) return { kind: 'download-failed', what: `${host} was refused` };
  if (download === undefined) return undefined;
  const hosts = refused.length > 0 ? `; refused: ${refused.join(', ')}` : '';
  return { kind: 'download-failed', what: `the network was needed: ${download.trim().slice(0, 200)}${hosts}` };
}

function findProgram(lines: readonly string[], exitCode: number): string | undefined {
  if (exitCode !== 127 && !lines.some((line) => saysNotFound.test(line))) return find(lines, missingProgram);
  const named = lines.flatMap((line) => notFound.exec(line)?.[1] ?? []);
  if (named.some((name) => name.includes('/'))) return undefined;
  return named[0] ?? find(lines, missingProgram) ?? (exitCode === 127 ? 'a program that it runs' : undefined);
}

function find(lines: readonly string[], forms: readonly RegExp[]): string | undefined {
  for (const line of lines) {
    for (const form of forms) {
      const match = form.exec(line);
      if (match) return match[1] ?? match[0];
    }
  }
  return undefined;
}
