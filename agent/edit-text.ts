/** Exact replacement in a text. Errors show the nearest places. */
import { findCanonical } from './canonical-text.ts';
import { findLookalikes } from './lookalikes.ts';
import { alignEnds, asWritten, readFileText, writeFileText } from './file-text.ts';
import { findNearestLines } from './nearest-lines.ts';

/** The replacement of one text by another. */
export interface TextEdit {
  old: string;
  new: string;
  all?: boolean | undefined;
  line?: number | undefined;
}

/** Why such a file isn't edited: bytes that can't be decoded would be written back as other bytes. */
export const notUtf8 = 'it is not UTF-8 text, so an edit would change bytes elsewhere in it.';

const maxShownPlaces = 10;
const maxShownLineChars = 400;
/** A file with at most this many lines is shown whole if an edit didn't match. */
const maxShownFileLines = 40;

/** Why an edit was refused. `advice` says what a model can do about it. */
interface RefusedEdit {
  error: string;
  advice?: string;
}

/**
 * The edited file, with the changed lines (from 1) and how they read now; or what is wrong. `old` and `new` are compared
 * and written with the file's own line ends, and the file keeps its byte order mark.
 */
export function editText(
  content: string,
  edit: TextEdit,
): { text: string; lines: number[]; excerpt: string } | RefusedEdit {
  const file = readFileText(content);
  const { text } = file;
  const { old, new: replacement } = bareEdit(text, edit);
  if (old === replacement)
    return {
      error: `old and new are the same${edit.old === edit.new ? '' : ' but for their line ends, which an edit keeps as the file has them'}, so this changes nothing: ${shownLine(old.trim().split('\n')[0] ?? '')}`,
      advice: 'Write in new how the text has to be. To add a line, take the line before it into both.',
    };
  if (old === '') return { error: 'old is empty. Write in old the text that is there now.' };
  const places = findPlaces(text, old);
  if (places.length === 0) return explainMissing(text, old);
  const chosen = edit.line === undefined ? places : places.filter((place) => place.line === edit.line);
  if (chosen.length === 0 || (chosen.length > 1 && !edit.all)) return explainSeveral(text, places);
  let result = '';
  let from = 0;
  const ends: string[] = [];
  let line = 0;
  for (const { index, length, line: at } of chosen) {
    const replaced = text.slice(index, index + length);
    const after = at - 1 + countBreaks(replaced);
    const usual = file.ends[at - 1] ?? file.ends[at - 2] ?? '\n';
    const replacedEnds = file.ends.slice(at - 1, after);
    result += text.slice(from, index) + replacement;
    from = index + length;
    ends.push(...file.ends.slice(line, at - 1), ...alignEnds(replaced, replacedEnds, replacement, usual));
    line = after;
  }
  result += text.slice(from);
  const lines = chosen.map((place, index) => place.line + index * (countBreaks(replacement) - countBreaks(old)));
  return {
    text: writeFileText({ ...file, text: result, ends: [...ends, ...file.ends.slice(line)] }),
    lines,
    excerpt: excerptOf(result, lines, countBreaks(replacement) + 1),
  };
}

/** An edit in LF. A program that shows the lines of a file leaves the CR of a CRLF at the end of the last one. */
function bareEdit(text: string, edit: TextEdit): Pick<TextEdit, 'old' | 'new'> {
  const old = asWritten(edit.old);
  const replacement = asWritten(edit.new);
  if (!old.endsWith('\r') || text.includes(old)) return { old, new: replacement };
  return { old: old.slice(0, -1), new: replacement.replace(/\r$/, '') };
}

interface EditPlace {
  index: number;
  length: number;
  line: number;
}

/** The places of a text. If there is none, those where it stands in other code points that look the same. */
function findPlaces(text: string, old: string): EditPlace[] {
  const ranges: { from: number; to: number }[] = [];
  for (let from = text.indexOf(old); from >= 0; from = text.indexOf(old, from + old.length))
    ranges.push({ from, to: from + old.length });
  let line = 1;
  let counted = 0;
  return (ranges.length > 0 ? ranges : findCanonical(text, old)).map(({ from, to }) => {
    line += countBreaks(text.slice(counted, from));
    counted = from;
    return { index: from, length: to - from, line };
  });
}

function explainMissing(text: string, old: string): RefusedEdit {
  const lines = text.split('\n');
  const nearest = findNearestLines(lines, old.split('\n'));
  if (nearest === undefined) {
    const missing = 'the file does not hold this text, nor one like it.';
    return lines.length <= maxShownFileLines
      ? { error: `${missing} It holds:\n${shownLines(lines, 0, lines.length).trimEnd()}` }
      : { error: missing, advice: 'Read the file again.' };
  }
  const lookalikes = findLookalikes(text, old);
  const named = lookalikes ? `, but one that looks the same: ${lookalikes}` : ' exactly';
  // The line numbers are apart from the lines, because a small model copies a number in front of a line.
  return {
    error: `the file does not hold this text${named}. The nearest are lines ${nearest.from + 1} to ${nearest.to}:\n${shownLines(lines, nearest.from, nearest.to)}`,
    advice: 'Copy what you want to replace into old exactly as it stands there, quotes and spaces too.',
  };
}

function explainSeveral(text: string, places: { line: number }[]): RefusedEdit {
  const lines = text.split('\n');
  const shown = places
    .slice(0, maxShownPlaces)
    .map((place) => `${place.line}\t${shownLine(lines[place.line - 1] ?? '')}`);
  const more = places.length > maxShownPlaces ? `\n… and ${places.length - maxShownPlaces} more` : '';
  const first = places[0]?.line ?? 1;
  return {
    error: `the file holds this text in ${places.length} places:\n${shown.join('\n')}${more}`,
    advice: `To replace every one, add "all": true. To replace one, add its line, such as "line": ${first}.`,
  };
}

function excerptOf(text: string, lines: number[], height: number): string {
  const all = text.split('\n');
  const shown = lines
    .slice(0, maxShownPlaces)
    .flatMap((line) =>
      all
        .slice(line - 1, line - 1 + Math.min(height, 20))
        .map((content, index) => `${line + index}\t${shownLine(content)}`),
    );
  return shown.join('\n');
}

function shownLines(lines: string[], from: number, to: number): string {
  const shown = lines.slice(from, Math.min(to, from + maxShownFileLines)).map((line) => shownLine(line));
  return [...shown, ...(to - from > shown.length ? [`[and ${to - from - shown.length} more lines]`] : [])].join('\n');
}

function shownLine(line: string): string {
  return line.length > maxShownLineChars
    ? `${line.slice(0, maxShownLineChars)}[cut: the line has ${line.length} characters]`
    : line;
}

function countBreaks(text: string): number {
  return text.split('\n').length - 1;
}
