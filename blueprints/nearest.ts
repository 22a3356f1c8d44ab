const maxWordLength = 64;
/** More edits than this turn a word into another one, however long it is. */
const maxDistance = 4;
/** So that the time is bounded, whatever a text declares. */
const maxCandidates = 1000;

/**
 * The candidate that was probably meant, or undefined. Its edit distance is at most a third of the word's length; one
 * edit is always allowed, and never more than four. Looks at the first 1,000 candidates.
 */
export function findNearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > maxWordLength) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let limit = Math.min(maxDistance, Math.max(1, Math.floor(word.length / 3)));
  let seen = 0;
  for (const candidate of candidates) {
    if ((seen += 1) > maxCandidates || limit < 0) break;
    const distance = editDistance(wanted, candidate.toLowerCase(), limit);
    if (distance <= limit) [best, limit] = [candidate, distance - 1];
  }
  return best;
}

const newRow = (): Uint8Array => new Uint8Array(maxWordLength + maxDistance + 2);
/** Three rows of the table of distances. They are reused, because making them would take most of the time. */
let [beforeLast, last, row] = [newRow(), newRow(), newRow()];

/**
 * Counts insertions, deletions, replacements and swaps of neighbours; more than `limit` if there are more. Only cells
 * near the diagonal can be within the limit, so the time is at most the word's length times the limit.
 */
function editDistance(a: string, b: string, limit: number): number {
  const far = limit + 1;
  if (Math.abs(a.length - b.length) > limit) return far;
  for (let j = 0; j <= b.length; j++) last[j] = Math.min(j, far);
  for (let i = 1; i <= a.length; i++) {
    const x = a.charCodeAt(i - 1);
    const from = Math.max(1, i - limit);
    const to = Math.min(b.length, i + limit);
    let nearest = from === 1 ? Math.min(i, far) : far;
    row[from - 1] = nearest;
    for (let j = from; j <= to; j++) {
      const y = b.charCodeAt(j - 1);
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (x === y ? 0 : 1), far);
      if (i > 1 && j > 1 && x === b.charCodeAt(j - 2) && y === a.charCodeAt(i - 2))
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row[j] = cost;
      nearest = Math.min(nearest, cost);
    }
    if (nearest > limit) return far;
    row[to + 1] = far;
    const free = beforeLast;
    beforeLast = last;
    last = row;
    row = free;
  }
  return at(last, b.length);
}

function at(cells: Uint8Array, index: number): number {
  return cells[index] ?? 0;
}
