/** Issues as a person reads them in a terminal. */
import { plural } from '../base/plural.ts';
import type { Issue } from './issues.ts';

const maxLineLength = 160;

const colors = { bold: '\u001B[1m', red: '\u001B[31m', blue: '\u001B[34m', dim: '\u001B[2m', reset: '\u001B[0m' };
type Color = keyof typeof colors;

/**
 * Renders each issue with its code, its place, the line of the text and a caret under the place, and then the number of
 * issues. `text` is the text of `file`; an issue of another file is shown without its line. Control characters of the
 * text are replaced by pictures or escapes, so a file can't control the terminal.
 */
export function renderIssues(text: string, issues: Issue[], options: { colors: boolean; file?: string }): string {
  const paint = (color: Color, part: string): string =>
    options.colors ? `${colors[color]}${part}${colors.reset}` : part;
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const { file } = options;
  const lineOf = (issue: Issue): string =>
    file === undefined || issue.file === file ? (lines[issue.line - 1] ?? '') : '';
  const blocks = issues.map((issue) => renderIssue(issue, lineOf(issue), paint));
  const noun = issues.length > 0 && issues.every(({ level }) => level === 'warning') ? 'warning' : 'problem';
  const count = issues.length === 0 ? 'no problems' : plural(issues.length, noun);
  return `${[...blocks, paint(noun === 'problem' && issues.length > 0 ? 'red' : 'bold', count)].join('\n\n')}\n`;
}

function renderIssue(issue: Issue, line: string, paint: (color: Color, part: string) => string): string {
  const place = `${visible(issue.file)}:${issue.line}:${issue.column}`;
  const path = issue.path === '' ? '' : paint('dim', ` (${visible(issue.path)})`);
  const rows = [
    `${issue.level === 'warning' ? paint('blue', 'warning') : paint('red', 'error')} ${paint('bold', issue.code)}: ${visible(issue.message)}`,
    `${paint('blue', `  --> ${place}`)}${path}`,
  ];
  const number = String(issue.line);
  if (line.trim() !== '') {
    const { shown, indent, width } = excerpt(line.replace(/\r$/, ''), issue);
    rows.push(
      `${paint('blue', `${number} |`)} ${shown}`,
      `${paint('blue', `${' '.repeat(number.length)} |`)} ${' '.repeat(indent)}${paint('red', '^'.repeat(width))}`,
    );
  }
  if (issue.hint !== undefined) rows.push(`${paint('blue', `${' '.repeat(number.length)} =`)} ${visible(issue.hint)}`);
  return rows.join('\n');
}

/** The part of a line around the place, with the place's column and width as they are shown. */
function excerpt(line: string, issue: Issue): { shown: string; indent: number; width: number } {
  const start = Math.min(issue.column - 1, line.length);
  const end =
    issue.endLine === issue.line && issue.endColumn !== undefined
      ? Math.min(issue.endColumn - 1, line.length)
      : line.length;
  const from = start > maxLineLength - 40 ? start - 40 : 0;
  const to = Math.min(line.length, from + maxLineLength);
  const head = `${from > 0 ? '…' : ''}${visible(line.slice(from, start))}`;
  const marked = visible(line.slice(start, Math.min(end, to)));
  const tail = `${visible(line.slice(Math.min(Math.max(start, end), to), to))}${to < line.length ? '…' : ''}`;
  return { shown: head + marked + tail, indent: head.length, width: Math.max(1, marked.trimEnd().length) };
}

/** Replaces control and direction-changing characters by pictures or escapes. */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === '\t' ? ' ' : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
