/**
 * Names characters that look like those that models write: typographic quotes, dashes and spaces. They are not taken
 * for the same, because a program may read them otherwise.
 */

/** What models write, and the characters that look like it. */
const plain: readonly (readonly [character: string, alike: RegExp])[] = [
  [' ', /[\u00A0\u2000-\u200A\u202F\u205F\u3000\t]/g],
  ["'", /[\u2018-\u201B\u2032\u02BC`\u00B4]/g],
  ['"', /[\u201C-\u201F\u2033]/g],
  ['-', /[\u2010-\u2015\u2212\u00AD]/g],
];

/** In which characters a text differs from another in which it seems to stand; undefined if it doesn't. */
export function findLookalikes(text: string, wanted: string): string | undefined {
  const at = toPlain(text).indexOf(toPlain(wanted));
  if (at < 0) return undefined;
  const different = new Set<string>();
  for (let index = 0; index < wanted.length; index++) {
    const there = text.charAt(at + index);
    const written = wanted.charAt(index);
    if (there !== written) different.add(`it has ${nameOf(there)} where old has ${nameOf(written)}`);
  }
  return [...different].slice(0, 5).join(', ');
}

/** The text with the same number of characters. */
function toPlain(text: string): string {
  return plain.reduce((all, [character, alike]) => all.replaceAll(alike, character), text);
}

const nameOf = (character: string): string =>
  `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}${character.trim() === '' ? '' : ` (${character})`}`;
