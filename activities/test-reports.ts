/** Finds and reads what a command's test runner wrote for machines, by commands in the command's own sandbox. */
import { readFile } from 'node:fs/promises';
import type { Report } from '../evidence/read-reports.ts';
import { createMatcher } from '../git/globs.ts';
import type { CommandResult, Sandbox } from '../sandbox/contract.ts';

const maxReports = 1000;
const maxReportBytes = 16 * 1024 * 1024;
const maxListBytes = 256 * 1024;
const timeoutMs = 60_000;

/** Where Maven and Gradle put their reports, unless a build says otherwise. */
const usualReports = [
  '**/target/surefire-reports/TEST-*.xml',
  '**/target/failsafe-reports/TEST-*.xml',
  '**/build/test-results/**/TEST-*.xml',
];
const usesThem = /\b(?:mvnw?|mvnd|gradlew?)\b/;
/** Gradle leaves the reports of tests that it need not run again. After a failure nobody knows which those are. */
const keepsReports = /\bgradlew?\b/;

/** Lists the files that were written since $1, in seconds. Older reports are of other runs. Some `touch` know no fractions. */
const listScript = `
since=$(mktemp) || exit 1
touch -d "@$1" "$since" 2>/dev/null || touch -d "@\${1%.*}" "$since" || exit 1
find . -name .git -prune -o -type f -newer "$since" -print0
rm -f "$since"`;
const readScript = `for file; do cat -- "$file"; printf '\\0'; done`;

interface Wanted {
  /** The key of the command that ended. */
  key: string;
  argv: readonly string[];
  /** Globs, if the blueprint says where the reports are. */
  counts?: string[];
}

/**
 * The reports that the command wrote. Undefined if none are expected of it. Repeatable by key. If there are too many to
 * read, there is one without text, which nothing can be read from.
 * @throws SandboxLost
 */
export async function findReports(
  sandbox: Sandbox,
  { key, argv, counts }: Wanted,
  result: CommandResult,
  signal: AbortSignal,
): Promise<Report[] | undefined> {
  const globs = counts ?? (argv.some((word) => usesThem.test(word)) ? usualReports : undefined);
  if (!globs || result.ending !== 'exited') return undefined;
  // The time of a file may be a tick of the kernel's clock behind.
  const isKept = !counts && result.exitCode === 0 && argv.some((word) => keepsReports.test(word));
  const since = isKept ? '0' : ((Date.parse(result.startedAt) - 10) / 1000).toFixed(3);
  const listed = await run(sandbox, `${key}/reports`, [listScript, since], maxListBytes, signal);
  const paths = listed.parts.map((path) => path.replace(/^\.\//, '')).filter(createMatcher(globs));
  if (paths.length === 0) return counts ? [] : undefined;
  const unread = [{ path: globs.join(', '), text: '' }];
  if (listed.isCut || paths.length > maxReports) return unread;
  const read = await run(sandbox, `${key}/read-reports`, [readScript, ...paths], maxReportBytes, signal);
  if (read.isCut || read.parts.length !== paths.length) return unread;
  return paths.map((path, index) => ({ path, text: read.parts[index] ?? '' }));
}

async function run(
  sandbox: Sandbox,
  key: string,
  [script = '', ...words]: string[],
  outputCapBytes: number,
  signal: AbortSignal,
) {
  const { stdout, exitCode } = await sandbox.run(
    { key, argv: ['sh', '-c', script, 'sh', ...words], timeoutMs, outputCapBytes },
    { signal },
  );
  const text = stdout.keptBytes > 0 ? await readFile(stdout.path, 'utf8') : '';
  return { parts: text.split('\0').slice(0, -1), isCut: stdout.droppedBytes > 0 || exitCode !== 0 };
}
