/**
 * Keeps out of a change what setup and checks leave behind, by what is there before and after them, and says which new
 * files a change lacks.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { defaults } from '../base/defaults.ts';
import type { LeftOut } from '../git/contract.ts';
import { createMatcher } from '../git/globs.ts';
import { listLeftOutScript, noteAfterScript, noteBeforeScript, systemScript } from '../git/sandbox-scripts.ts';
import type { CommandResult, Sandbox } from '../sandbox/contract.ts';
import { log } from './activity.ts';
import type { ExportCommit, RunCommand } from './contract.ts';

const maxListBytes = 16 * 1024 * 1024;
/** How many of the files are named. */
const maxNamed = 5;

/** Runs a command and notes in the workspace what it made. Repeatable by the command's key. */
export async function withNotes<Result>(
  sandbox: Sandbox,
  { key, keepOut }: { key: string; keepOut: RunCommand['keepOut'] },
  signal: AbortSignal,
  command: () => Promise<Result>,
): Promise<Result> {
  if (!keepOut) return command();
  const name = createHash('sha256').update(key).digest('hex').slice(0, 16);
  await note(sandbox, `${key}/before`, [noteBeforeScript, name], signal);
  const result = await command();
  await note(sandbox, `${key}/after`, [noteAfterScript, name, ...(keepOut.base ? [keepOut.base] : [])], signal);
  return result;
}

/** Whether a shell command only runs one of these checks, and perhaps shows a part of its output. */
export function isCheck(command: string, checks: readonly string[]): boolean {
  const text = command.trim();
  return checks.some(
    (check) =>
      text.startsWith(check) && /^\s*(2>&1)?\s*(\|\s*(tail|head)(\s[-\w\s]*)?)?$/.test(text.slice(check.length)),
  );
}

/** Without its note, what the command made is taken for a part of the change, which people see. */
async function note(sandbox: Sandbox, key: string, words: [string, ...string[]], signal: AbortSignal): Promise<void> {
  const { ending, exitCode, stderr } = await list(sandbox, key, words, signal);
  if (ending === 'exited' && exitCode === 0) return;
  log().warn('what a command leaves behind could not be noted', { key, ending, exitCode, stderr: stderr.path });
}

/** What the export takes of the new files that it would leave out or take, as its standard input, and what it lacks. */
export async function chooseNewFiles(
  sandbox: Sandbox,
  { key, base, include }: Pick<ExportCommit, 'key' | 'base' | 'include'>,
  signal: AbortSignal,
): Promise<{ chosen: Buffer; leftOut?: LeftOut }> {
  const isIncluded = include ? createMatcher(include) : () => false;
  const listed = await list(sandbox, `${key}/left-out`, [listLeftOutScript, base, ...(include ? ['J'] : [])], signal);
  // Names may have any bytes.
  const lines = (await readFile(listed.stdout.path)).toString('latin1').split('\n').slice(0, -1);
  const chosen: string[] = [];
  const lacking: Record<string, string[]> = { M: [], I: [] };
  for (const line of lines) {
    const [kind, bytes] = [line.charAt(0), line.slice(2)];
    const path = Buffer.from(bytes, 'latin1').toString();
    if (isIncluded(path)) {
      if (kind !== 'M') chosen.push(`+${bytes}\n`);
      continue;
    }
    if (kind === 'M') chosen.push(`-${bytes}\n`);
    lacking[kind]?.push(path);
  }
  const named = (paths: string[] = []) => ({ count: paths.length, paths: paths.slice(0, maxNamed) });
  const leftOut = { made: named(lacking['M']), ignored: named(lacking['I']) };
  const isEmpty = leftOut.made.count + leftOut.ignored.count === 0;
  return { chosen: Buffer.from(chosen.join(''), 'latin1'), ...(!isEmpty && { leftOut }) };
}

function list(
  sandbox: Sandbox,
  key: string,
  [script, ...args]: [string, ...string[]],
  signal: AbortSignal,
): Promise<CommandResult> {
  const argv = systemScript(script, ...args);
  return sandbox.run({ key, argv, timeoutMs: defaults.timeoutsMs.change, outputCapBytes: maxListBytes }, { signal });
}
