/** The lines of a failed command's output as digests, to tell whether a later failure has anything new in it. */
import { createHash } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import { numbered } from './runners/runner.ts';

/** With more lines, there is one digest of all of them, which is equal only for equal outputs. */
const maxLines = 400;
const maxDigests = 1000;
/** Longer outputs are not compared. */
const maxCharacters = 4_000_000;
/** Only the beginning of a line is masked. */
const maxMasked = 1000;
/** A larger number stands for itself only. */
const maxCount = 200;

/** A number of faults, such as `3 errors`, or a line that is nothing but a number. */
const countOfFaults =
  /(?<![\w.,:/-])(\d{1,6}) (?:[a-z]{1,20} )?(?:error|warning|problem|issue|failure|failed|failing|violation|offen[cs]e|vulnerabilit|finding|mistake|hint|conflict|typo|difference|file|line)|^(\d{1,6})$/i;

/**
 * The digests of the lines of both streams, sorted; a line that comes twice has two. What differs between two runs that
 * do the same is masked: numbers, such as times and places, names made up by chance, plurals. A number of faults also
 * stands for every smaller one. Undefined if the output is too long.
 */
export function digestLines(streams: readonly string[]): string[] | undefined {
  if (streams.reduce((so, { length }) => so + length, 0) > maxCharacters) return undefined;
  const lines = streams
    .flatMap((stream) => stripVTControlCharacters(stream).split(/\r\n|\r|\n/))
    .map((line) => line.trim())
    .filter(Boolean);
  if (lines.length > maxLines) return [digestAll(lines.map(maskWithCount))];
  const digests = numbered(lines.flatMap(masks).toSorted()).map(digest);
  return digests.length > maxDigests ? [digestAll(lines.map(maskWithCount))] : digests.toSorted();
}

const digestAll = (masked: readonly string[]): string => digest(masked.toSorted().join('\n'));

const countIn = (line: string): number | undefined => {
  const [, some, alone] = countOfFaults.exec(line) ?? [];
  return (some ?? alone) === undefined ? undefined : Number(some ?? alone);
};

const maskWithCount = (line: string): string => `${mask(line)} ${countIn(line) ?? ''}`;

function masks(line: string): string[] {
  const count = countIn(line);
  if (count === undefined) return [mask(line)];
  return count > maxCount
    ? [maskWithCount(line)]
    : Array.from({ length: count }, (_, each) => `${mask(line)} ${each + 1}`);
}

function mask(whole: string): string {
  const masked = whole
    .slice(0, maxMasked)
    .replaceAll(/0x[0-9a-f]+|\b(?=[\w-]*\d)[\w-]{8,}\b/gi, '#')
    .replaceAll(/\d[\d.,:]*(?: ?(?:ns|µs|us|ms|s|secs?|seconds?|min|minutes?|m|h)\b)?/g, '#')
    .replaceAll(/\btmp\w{6,}/g, '#')
    .replaceAll(/#(?: *#)+/g, '#')
    .replaceAll(/s\b/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return `${masked}${whole.slice(maxMasked)}`;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
