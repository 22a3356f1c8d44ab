/** Markdown as text for a terminal: what the marks hide is shown, and the columns of tables are aligned. */
import { table, type Paint } from './output.ts';

/** Renders headings, tables and escapes. Code stays as it is. Control characters stay too: see `printable`. */
export function renderMarkdown(markdown: string, paint: Paint): string {
  const rendered: string[] = [];
  let rows: string[][] = [];
  let fence: string | undefined;
  const endTable = () => {
    if (rows.length > 0) rendered.push(table(rows));
    rows = [];
  };
  for (const line of markdown.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    const isRow = fence === undefined && /^\|.*\|\s*$/.test(line);
    if (!isRow) endTable();
    if (fence !== undefined || mark !== undefined) rendered.push(line);
    else if (!isRow) rendered.push(renderLine(line, paint));
    else if (!/^[|\s:-]+$/.test(line)) rows.push(splitCells(line).map(unescape));
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence)) fence = undefined;
  }
  endTable();
  return rendered.join('\n');
}

function renderLine(line: string, paint: Paint): string {
  const heading = /^#{1,6} +(.*)$/.exec(line)?.[1];
  return heading === undefined ? unescape(line) : paint('bold', unescape(heading));
}

/** The cells of a row. A bar after a backslash belongs to its cell. */
function splitCells(line: string): string[] {
  const inner = line.trim().slice(1, -1);
  return [...inner.matchAll(/((?:\\.|[^\\|])*)(?:\||$)/gs)].map(([, cell = '']) => cell.trim()).slice(0, -1);
}

/** Takes backslashes away that only keep marks from being markup. In code spans, a backslash is one. */
function unescape(text: string): string {
  return text.replaceAll(
    /(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)|\\([!-/:-@[-`{-~])/g,
    (matched, _, escaped?: string) => escaped ?? matched,
  );
}
