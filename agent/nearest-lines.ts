/** Finds the place in a file that was probably meant by a text that isn't in it. */

const maxLines = 20_000;
const maxLineChars = 500;
const minSimilarity = 0.4;

/** The lines (from 0, without `to`) that are most like `wanted`; undefined if no lines are. */
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

/** The neighbouring pairs of characters with their counts, without white space and in lower case. */
function pairsOf(line: string): Map<string, number> {
  const text = line.slice(0, maxLineChars).replaceAll(/\s+/g, '').toLowerCase();
  const pairs = new Map<string, number>();
  for (let index = 0; index + 1 < text.length; index++) {
    const pair = text.slice(index, index + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

/** Dice's coefficient of two bags of pairs: 0 if they have nothing in common, 1 if they are equal. */
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
