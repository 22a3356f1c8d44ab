/** Carries out one tool call with {@link ToolOperations}. What it returns is for the model. */
import { defaults } from '../base/defaults.ts';
import { shellWord } from '../base/shell-word.ts';
import { hasForms } from './canonical-text.ts';
import { cutText } from './cut-text.ts';
import { editText, notUtf8 } from './edit-text.ts';
import { describeLineEnds, readFileText, replaceFileText, writeFileText } from './file-text.ts';
import type { CommandOutput, ToolOperations, ToolResult } from './operations.ts';
import { checkWritable, resolveToolPath } from './tool-paths.ts';
import type { ParsedToolCall } from './tools.ts';

/** The most bytes of a file that read and edit accept. */
const maxFileBytes = 1024 * 1024;
/** The most bytes of a file that write replaces. */
const maxReplacedBytes = 16 * maxFileBytes;
const defaultReadLines = 400;
const maxMatches = 100;
const maxLineChars = 400;

interface Limits {
  /** The limit for one command. */
  timeoutMs: number;
  /** The most characters that the model is shown. */
  maxChars: number;
}

/**
 * Runs a call. A mistake of the model gives a result with `ok: false`; only the operations throw. Not repeatable by
 * itself, since a repeated edit doesn't find its text any more. Callers keep the result by key.
 */
export async function runTool(
  call: ParsedToolCall,
  operations: ToolOperations,
  {
    timeoutMs = defaults.timeoutsMs.agentCommand,
    maxChars = defaults.agent.toolOutputMaxCharacters,
  }: Partial<Limits> = {},
): Promise<ToolResult> {
  const limits = { timeoutMs, maxChars };
  if (call.tool === 'shell') return runShell(call.arguments, operations, limits);
  const named = resolveToolPath(call.arguments.path ?? '.', operations.workspaceDir);
  if ('error' in named) return failed(named.error);
  const path = hasForms(named.path) ? await findSpelling(named.path, operations, timeoutMs) : named.path;
  if (call.tool === 'search') return search(call.arguments, path, operations, limits);
  if (call.tool === 'read') return read(call.arguments, path, operations, limits);
  const refusal = checkWritable(path, operations.writable);
  if (refusal) return failed(refusal);
  return call.tool === 'write' ? write(call.arguments, path, operations) : edit(call.arguments, path, operations);
}

/**
 * The path as the workspace spells it: where it has no such name, but one that looks the same in other code points, it
 * means that one.
 */
async function findSpelling(path: string, operations: ToolOperations, timeoutMs: number): Promise<string> {
  let known = '.';
  for (const part of path.split('/')) {
    const written = `${known}/${part}`;
    const isOther = hasForms(part) && (await isMissing(written, operations, timeoutMs));
    const spelt = isOther ? await findAlike(known, part, operations, timeoutMs) : part;
    if (spelt === undefined) return path;
    known = `${known}/${spelt}`;
  }
  return known.slice('./'.length);
}

/** The name in a folder that looks like this one; undefined if there is none, or more than one. */
async function findAlike(
  folder: string,
  name: string,
  operations: ToolOperations,
  timeoutMs: number,
): Promise<string | undefined> {
  const { ending, exitCode, stdout } = await operations.runCommand(['ls', '-1A', folder], timeoutMs);
  if (ending !== 'exited' || exitCode !== 0) return undefined;
  const alike = stdout.split('\n').filter((each) => each.normalize('NFC') === name.normalize('NFC'));
  return alike.length === 1 ? alike[0] : undefined;
}

type ArgumentsOf<Tool extends ParsedToolCall['tool']> = Extract<ParsedToolCall, { tool: Tool }>['arguments'];

async function read(
  wanted: ArgumentsOf<'read'>,
  path: string,
  operations: ToolOperations,
  { maxChars }: Limits,
): Promise<ToolResult> {
  const file = await openText(path, operations);
  if ('error' in file) return failed(file.error);
  const shownText = readFileText(file.text);
  const lines = shownText.text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const isBeyond = (wanted.offset ?? 1) > lines.length;
  const from = isBeyond ? 1 : (wanted.offset ?? 1);
  if (lines.length === 0) return done(`${path} is empty.`);
  const shown: string[] = [];
  let chars = 0;
  // There are no line numbers: an edit needs the exact text, and a small model would copy the numbers with it.
  for (const line of lines.slice(from - 1, from - 1 + (wanted.limit ?? defaultReadLines))) {
    const bounded =
      line.length > 2000
        ? `${line.slice(0, 2000)}… [the line has ${line.length} characters; the next: shell {"command": ${JSON.stringify(`sed -n ${from + shown.length}p ${shellWord(path)} | cut -c2001-4000`)}}]`
        : line;
    if (shown.length > 0 && chars + bounded.length > maxChars - 200) break;
    shown.push(bounded);
    chars += bounded.length + 1;
  }
  const next = from + shown.length;
  const rest =
    next <= lines.length
      ? `\n[${lines.length - next + 1} more lines; the next: {"path": ${JSON.stringify(path)}, "offset": ${next}}]`
      : '';
  const ends = describeLineEnds(shownText);
  const which = ends ? `, with ${ends} line ends, which edit and write keep` : '';
  const head = isBeyond
    ? `[${path} has only ${lines.length} lines; from the first${which}:]`
    : `[${path}, lines ${from} to ${next - 1} of ${lines.length}${which}:]`;
  return done(`${head}\n${shown.join('\n')}${rest}`);
}

async function edit(wanted: ArgumentsOf<'edit'>, path: string, operations: ToolOperations): Promise<ToolResult> {
  const file = await openText(path, operations);
  if ('error' in file) return failed(file.error);
  if (!file.isUtf8) return failed(`${path}: ${notUtf8} Change it with a program, by shell.`);
  const edited = editText(file.text, wanted);
  if ('error' in edited) return failed([`${path}: ${edited.error}`, edited.advice ?? ''].join('\n').trimEnd());
  await operations.writeFile(path, edited.text);
  return done(
    `Edited ${path}${edited.lines.length > 1 ? ` in ${edited.lines.length} places` : ''}. It now reads:\n${edited.excerpt}`,
  );
}

async function write(wanted: ArgumentsOf<'write'>, path: string, operations: ToolOperations): Promise<ToolResult> {
  const there = await operations.readFile(path, maxReplacedBytes);
  if (there && (there.text === undefined || !there.isUtf8)) {
    const why = there.text === undefined ? `it has ${there.sizeBytes} bytes, too many to replace.` : notUtf8;
    return failed(`${path}: ${why} Change it with a program, by shell.`);
  }
  const file = there?.text === undefined ? undefined : replaceFileText(readFileText(there.text), wanted.text);
  await operations.writeFile(path, file ? writeFileText(file) : wanted.text);
  const kept = file && describeLineEnds(file) ? ` It kept its ${describeLineEnds(file)} line ends.` : '';
  return done(`Wrote ${path}, ${wanted.text.split('\n').length} lines.${kept}`);
}

async function search(
  wanted: ArgumentsOf<'search'>,
  path: string,
  operations: ToolOperations,
  limits: Limits,
): Promise<ToolResult> {
  const { timeoutMs, maxChars } = limits;
  if (/[\r\n]/.test(wanted.text.trimEnd()))
    return failed('search looks at one line at a time: search for one line of this text.');
  const text = wanted.text.replace(/[\r\n]+\s*$/, '');
  if (text === '') return failed('There is no text to search for.');
  const kind = wanted.regex ? '-E' : '-F';
  const argv = ['grep', '-rnI', kind, '--exclude-dir=.git', '--exclude-dir=node_modules', '-e', text, '--', path];
  const outcome = await operations.runCommand(argv, timeoutMs);
  if (outcome.ending !== 'exited')
    return failed(`The search was ended (${outcome.ending}). Search in a smaller folder.`);
  if (outcome.exitCode > 1 && path !== '.' && (await isMissing(path, operations, timeoutMs))) {
    // A small model guesses folders, and an error doesn't help it to do better.
    const everywhere = await search(wanted, '.', operations, limits);
    return { ...everywhere, text: `[There is no ${path}; in the whole repository:]\n${everywhere.text}` };
  }
  if (outcome.exitCode > 1 && outcome.stdout === '')
    return failed(`The search failed: ${cutText(outcome.stderr.trim(), 1000)}`);
  const lines = outcome.stdout.split('\n').filter((line) => line !== '');
  if (lines.length === 0)
    return done(`No line of ${path === '.' ? 'the repository' : path} holds ${JSON.stringify(wanted.text)}.`);
  const shown = lines
    .slice(0, maxMatches)
    .map((line) =>
      line
        .replace(/^\.\//, '')
        .replace(/\r$/, '')
        .replace(/^([^:]*:1:)\uFEFF/, '$1'),
    )
    .map((line) =>
      line.length > maxLineChars
        ? `${line.slice(0, maxLineChars)}… [cut: ${line.length} characters; read the file at this line]`
        : line,
    );
  const more =
    lines.length > maxMatches || outcome.droppedBytes > 0
      ? `\n[more than ${maxMatches} lines match; search in a smaller folder]`
      : '';
  return done(
    cutText(shown.join('\n') + more, maxChars, 'to see the rest, search for a longer text or in a smaller folder'),
  );
}

async function isMissing(path: string, operations: ToolOperations, timeoutMs: number): Promise<boolean> {
  const { ending, exitCode } = await operations.runCommand(['test', '-e', path], timeoutMs);
  return ending === 'exited' && exitCode === 1;
}

async function runShell(wanted: ArgumentsOf<'shell'>, operations: ToolOperations, limits: Limits): Promise<ToolResult> {
  const outcome = await operations.runCommand(['sh', '-c', wanted.command], limits.timeoutMs);
  return { text: describeCommand(outcome, limits), ok: outcome.ending === 'exited' && outcome.exitCode === 0 };
}

function describeCommand(outcome: CommandOutput, { timeoutMs, maxChars }: Limits): string {
  const ending =
    outcome.ending === 'deadline' ? `ended after ${timeoutMs / 1000} s, its time limit` : `ended (${outcome.ending})`;
  const first = outcome.ending === 'exited' ? `exit code ${outcome.exitCode}` : ending;
  const output = [outcome.stdout, outcome.stderr].filter((text) => text !== '').join('\n');
  const dropped = outcome.droppedBytes > 0 ? `\n[${outcome.droppedBytes} more bytes were not kept]` : '';
  const hint = 'to see the rest, write the output to a file in /tmp and show a part of it with sed -n';
  return cutText(`${first}\n${output || '(no output)'}${dropped}`, maxChars, hint);
}

async function openText(
  path: string,
  operations: ToolOperations,
): Promise<{ text: string; isUtf8: boolean } | { error: string }> {
  const file = await operations.readFile(path, maxFileBytes);
  if (!file)
    return {
      error: `There is no file ${path}. Look for it with search, or list the folder with shell: {"command": "ls"}`,
    };
  if (file.text === undefined)
    return {
      error: `${path} has ${file.sizeBytes} bytes, too many to take in. Show a part of it with shell: {"command": ${JSON.stringify(`sed -n 1,200p ${shellWord(path)}`)}}`,
    };
  if (file.text.includes('\0')) return { error: `${path} is not a text file.` };
  return { text: file.text, isUtf8: file.isUtf8 };
}

function done(text: string): ToolResult {
  return { text, ok: true };
}

function failed(text: string): ToolResult {
  return { text, ok: false };
}
