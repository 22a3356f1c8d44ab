/** Where in a file a text that isn't in it was probably meant. */

const maxLines = 20_000;
const maxLineChars = 500;
const minSimilarity = 0.4;

/** The lines (from 0, `to` excluded) that are most like `wanted`; undefined where none is. */
export function findNearestLines(lines: string[], wanted: string[]): { from: number; to: number } | undefined {
  const anchorAt = wanted.findIndex((line) => line.trim() !== '');
  const anchor = wanted[anchorAt];
  if (anchor === undefined) return undefined;
  const anchorPairs = pairsOf(anchor);
  let best = { at: -1, similarity: minSimilarity };
  for (const [at, line] of lines.slice(0, maxLines).entries()) {
    const similarity = similarityOf(anchorPairs, pairsOf(line));
    if (similarity > best.similarity) best = { at, similarity };
  }
  if (best.at < 0) return undefined;
  const from = Math.max(0, best.at - anchorAt - 1);
  return { from, to: Math.min(lines.length, best.at - anchorAt + Math.min(wanted.length, 20) + 1) };
}

/** The neighbouring pairs of characters, white space and case aside, with their counts. */
function pairsOf(line: string): Map<string, number> {
  const text = line.slice(0, maxLineChars).replaceAll(/\s+/g, '').toLowerCase();
  const pairs = new Map<string, number>();
  for (let index = 0; index + 1 < text.length; index++) {
    const pair = text.slice(index, index + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

/** Dice's coefficient of two bags of pairs: 0 for nothing in common, 1 for the same. */
function similarityOf(a: Map<string, number>, b: Map<string, number>): number {
  let common = 0;
  let total = 0;
  for (const [pair, count] of a) {
    common += Math.min(count, b.get(pair) ?? 0);
    total += count;
  }
  for (const count of b.values()) total += count;
  return total === 0 ? 0 : (2 * common) / total;
}
