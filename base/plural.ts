/** `1 file`, `2 files`: a count with its noun, for nouns with a regular plural. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
