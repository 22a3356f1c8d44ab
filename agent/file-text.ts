/**
 * A file's text as models write text: with LF line ends and without a byte order mark. What is written back has the
 * file's own.
 */

/** The text of a file in LF, and what the file has in its place. */
export interface FileText {
  text: string;
  /** Whether the file begins with a byte order mark. */
  hasMark: boolean;
  /** The line end after each line but the last. */
  ends: string[];
}

const mark = '\uFEFF';

export function readFileText(file: string): FileText {
  const hasMark = file.startsWith(mark);
  const bare = withoutMark(file);
  // CR alone ends lines only in a file of an old system, which has nothing else. Elsewhere it is a character.
  const ends = bare.match(/\r?\n/g) ?? bare.match(/\r/g) ?? [];
  return { text: bare.replaceAll(ends[0] === '\r' ? '\r' : '\r\n', '\n'), hasMark, ends };
}

/** The text as a file holds it, with this line end after each line. */
export function writeFileText({ text, hasMark, ends }: FileText): string {
  const lines = text.split('\n');
  return (hasMark ? mark : '') + lines.map((line, index) => line + (ends[index] ?? '')).join('');
}

/** A text that somebody wrote, with LF line ends and without a byte order mark. */
export function asWritten(text: string): string {
  return withoutMark(text).replaceAll('\r\n', '\n');
}

function withoutMark(text: string): string {
  return text.startsWith(mark) ? text.slice(mark.length) : text;
}

/** What a file becomes if the whole of it is replaced: it keeps its line ends and its byte order mark. */
export function replaceFileText(file: FileText, written: string): FileText {
  const text = asWritten(written);
  return { ...file, text, ends: alignEnds(file.text, file.ends, text, file.ends[0] ?? '\n') };
}

/**
 * The line ends of a text that replaces another. A line that was there keeps its own, a new one gets that of the line
 * before it, and the first one `usual`.
 */
export function alignEnds(before: string, ends: readonly string[], after: string, usual: string): string[] {
  const old = before.split('\n');
  const lines = after.split('\n');
  if (ends.every((end) => end === usual)) return lines.slice(1).map(() => usual);
  let first = 0;
  while (first < Math.min(old.length, lines.length) && old[first] === lines[first]) first++;
  let last = 0;
  while (last < Math.min(old.length, lines.length) - first && old.at(-1 - last) === lines.at(-1 - last)) last++;
  const moved = new Map<string, number[]>();
  for (let at = old.length - last - 1; at >= first; at--) {
    const line = old[at] ?? '';
    moved
      .set(line, moved.get(line) ?? [])
      .get(line)
      ?.push(at);
  }
  const aligned: string[] = [];
  for (let at = 0; at + 1 < lines.length; at++) {
    const was =
      at < first || old.length === lines.length
        ? at
        : at >= lines.length - last
          ? at + old.length - lines.length
          : moved.get(lines[at] ?? '')?.pop();
    aligned.push((was === undefined ? undefined : ends[was]) ?? aligned.at(-1) ?? usual);
  }
  return aligned;
}

/** The line ends of a file in words, for a model; undefined if they are LF alone. */
export function describeLineEnds({ ends }: FileText): string | undefined {
  const kinds = [...new Set(ends)].map((end) => (end === '\r\n' ? 'CRLF' : end === '\r' ? 'CR' : 'LF'));
  return kinds.length === 0 || (kinds.length === 1 && kinds[0] === 'LF') ? undefined : kinds.toSorted().join(' and ');
}
