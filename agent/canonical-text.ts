/**
 * Finds text whatever its code points: `é` may be one of them, or an `e` and an accent. Both look the same, and models
 * write only the first form.
 */

/** What becomes one code point together: a base with its marks, or the letters of a Hangul syllable. */
const cluster = /[\u1100-\u115F][\u1160-\u11A7]?[\u11A8-\u11FF]?|\P{M}\p{M}*|\p{M}+/gsu;

/** Whether a text may be written in other code points. */
export function hasForms(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- it means all of ASCII
  return /[^\u0000-\u007F]/.test(text);
}

/** Where a text stands in another, in any form, as ranges of the other's own characters. */
export function findCanonical(text: string, wanted: string): { from: number; to: number }[] {
  if (!hasForms(text) || !hasForms(wanted)) return [];
  const { composed, origins } = compose(text);
  const sought = wanted.normalize('NFC');
  const found: { from: number; to: number }[] = [];
  for (let at = composed.indexOf(sought); at >= 0; at = composed.indexOf(sought, at + sought.length)) {
    const from = origins.get(at);
    const to = origins.get(at + sought.length);
    if (from !== undefined && to !== undefined) found.push({ from, to });
  }
  return found;
}

/** The composed text, and for each of its positions between clusters the one in the text itself. */
function compose(text: string): { composed: string; origins: Map<number, number> } {
  const origins = new Map<number, number>();
  const parts: string[] = [];
  let length = 0;
  let at = 0;
  for (const [part] of text.matchAll(cluster)) {
    origins.set(length, at);
    const one = part.normalize('NFC');
    parts.push(one);
    length += one.length;
    at += part.length;
  }
  origins.set(length, at);
  return { composed: parts.join(''), origins };
}
