/** What a reader of one test runner's output is, and what the readers share. */
import { sum, type TestCounts } from '../test-counts.ts';

/** What a runner said in one stream of output. */
export interface Reading {
  /** Missing if the runner ran, but doesn't say how many tests there are. */
  tests?: TestCounts;
  /** The names of everything that failed; missing if the runner doesn't name them all. */
  failures?: string[];
  /** Why there are no counts, for a reviewer. */
  doubt?: string;
}

/** A test runner whose output is understood. */
export interface Runner {
  name: string;
  /** What is read, for the reference. */
  reads: string;
  /** The runners whose output it shows as part of its own, so that it isn't counted twice. */
  over?: readonly string[];
  /**
   * Reads one stream, which has no ANSI sequences any more. Undefined if the runner didn't write there. The text is
   * untrusted: a line counts by its whole form and its place, and no pattern backtracks.
   */
  read(lines: readonly string[]): Reading | undefined;
}

/** What a word of a summary counts; `nothing` for words that don't count tests. */
export type Words = Readonly<Record<string, Exclude<keyof TestCounts, 'total'> | 'nothing'>>;

/**
 * Reads items such as `3 passed` and `1 xfailed`, or `failures=1`. Undefined if one of them is something else, because
 * then this is not the summary.
 */
export function readItems(items: readonly string[], words: Words): Partial<TestCounts> | undefined {
  const counts: Partial<TestCounts> = {};
  for (const item of items) {
    const [, before, word, after] =
      /^(?=.{1,60}$)(?:(\d{1,9}) )?([A-Za-z][A-Za-z ]*)(?:[=:] ?(\d{1,9}))?$/.exec(item) ?? [];
    const kind = word === undefined ? undefined : words[word];
    const number = before ?? after;
    if (kind === undefined || number === undefined) return undefined;
    if (kind !== 'nothing') counts[kind] = (counts[kind] ?? 0) + Number(number);
  }
  return counts;
}

/** The names, if they are as many as failed: each name once, and numbered from the second time on. */
export function allNames(names: readonly string[], failed: number): { failures?: string[] } {
  return names.length === failed ? { failures: numbered(names) } : {};
}

/** Tells equal texts apart: the second `a` becomes `a (2)`. */
export function numbered(texts: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return texts.map((text) => {
    const times = (seen.get(text) ?? 0) + 1;
    seen.set(text, times);
    return times === 1 ? text : `${text} (${times})`;
  });
}

/** Texts without those that came before. */
export const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

/** The first group of each line that has the form. */
export function matches(lines: readonly string[], form: RegExp): string[] {
  return lines.flatMap((line) => form.exec(line)?.[1] ?? []);
}

/** One reading of several summaries of one runner, each with its own part of the names. */
export function together(parts: readonly Reading[]): Reading | undefined {
  if (parts.length === 0) return undefined;
  const doubt = parts.find((part) => part.doubt !== undefined)?.doubt;
  const counted = parts.flatMap(({ tests }) => tests ?? []);
  const named = parts.flatMap(({ failures }) => (failures ? [failures] : []));
  return {
    ...(doubt === undefined ? { tests: sum(counted) } : { doubt }),
    ...(named.length === parts.length && { failures: numbered(named.flat()) }),
  };
}

/** Cuts the lines into parts, each of which ends with a line that `ends`. What comes after the last one is left out. */
export function partsUntil(
  lines: readonly string[],
  ends: (line: string, index: number) => boolean,
): { part: readonly string[]; end: number }[] {
  const parts: { part: readonly string[]; end: number }[] = [];
  let start = 0;
  lines.forEach((line, index) => {
    if (!ends(line, index)) return;
    parts.push({ part: lines.slice(start, index + 1), end: index });
    start = index + 1;
  });
  return parts;
}
