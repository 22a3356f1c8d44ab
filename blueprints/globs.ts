/**
 * Reads globs as git's `:(glob)` and minimatch do: `*` and `?` stay inside of one name, and `**` stands for any number of
 * folders. `{a,b}` is minimatch's; that a plain path covers what is in its folder, and that names with a dot match like all
 * others, is git's. A glob that the two read in other ways, or that could match nothing, is refused.
 */

const maxGlobLength = 512;
const maxAlternatives = 32;

/** A star, a plain character, or what else stands for one character: `?`, a class, a character after a backslash. */
type Token = string | { matches: (character: string) => boolean };

/** A glob without braces. */
export interface Pattern {
  segments: (Token[] | '**')[];
  /** It holds no wildcard and no backslash, so it names one file, or a folder with everything in it. */
  isPlain: boolean;
}

/** The patterns of a glob, or what is wrong with it, as the end of a sentence that begins with the glob. */
export function parseGlob(glob: string): { patterns: Pattern[] } | { problem: string } {
  if (glob === '' || glob.length > maxGlobLength) return { problem: `must have 1 to ${maxGlobLength} characters` };
  if (/^[!#]/.test(glob))
    return { problem: `begins with ${glob[0]}, which matchers read differently: write \\${glob[0]}` };
  const alternatives: string[] = [];
  const patterns: Pattern[] = [];
  try {
    expandBraces('', glob, alternatives);
    for (const alternative of alternatives) patterns.push(parsePattern(alternative));
  } catch (error) {
    if (error instanceof GlobProblem) return { problem: error.message };
    throw error;
  }
  return { patterns };
}

class GlobProblem extends Error {}

function refuse(problem: string): never {
  throw new GlobProblem(problem);
}

/** Adds the text with each alternative of its braces. Braces without a comma are characters of a name. */
function expandBraces(before: string, text: string, found: string[]): void {
  const open = indexOfPlain(text, '{');
  const parts = open < 0 ? undefined : readAlternatives(text, open);
  if (!parts) {
    const literal = open < 0 ? text.length : open + 1;
    if (literal < text.length) return expandBraces(before + text.slice(0, literal), text.slice(literal), found);
    if (found.push(before + text) > maxAlternatives) refuse(`has more than ${maxAlternatives} alternatives`);
    return;
  }
  for (const part of parts.alternatives)
    expandBraces(before + text.slice(0, open), part + text.slice(parts.end), found);
}

/** The position of a character that no backslash stands before; -1 if there is none. */
function indexOfPlain(text: string, character: string): number {
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === character) return index;
  }
  return -1;
}

function readAlternatives(text: string, open: number): { alternatives: string[]; end: number } | undefined {
  const alternatives: string[] = [];
  let from = open + 1;
  let depth = 0;
  for (let index = open; index < text.length; index++) {
    const character = text[index];
    if (character === '\\') index++;
    else if (character === '{') depth++;
    else if (character === '}') depth--;
    const ends = depth === 0;
    if (!ends && !(depth === 1 && character === ',')) continue;
    alternatives.push(text.slice(from, index));
    from = index + 1;
    if (!ends) continue;
    if (alternatives.length > 1) return { alternatives, end: from };
    if (alternatives[0]?.includes('..')) refuse('has a range in braces: write the alternatives with commas');
    return undefined;
  }
  return undefined;
}

function parsePattern(glob: string): Pattern {
  if (glob.startsWith('/')) refuse('begins with /, but paths are relative to the repository');
  const segments: Pattern['segments'] = [];
  for (const name of normalizedNames(glob)) {
    // Two `**` in a row mean the same as one.
    if (name !== '**') segments.push(parseName(name));
    else if (segments.at(-1) !== '**') segments.push('**');
  }
  const isPlain = segments.every(
    (segment) => segment !== '**' && segment.every((token) => typeof token === 'string' && token !== '*'),
  );
  if (glob.endsWith('/') && !isPlain && segments.at(-1) !== '**') segments.push('**');
  return { segments, isPlain };
}

/** The names between the slashes, without those that stand for the same folder or the one above. */
function normalizedNames(glob: string): string[] {
  const names: string[] = [];
  for (const name of glob.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') {
      names.push(name);
      continue;
    }
    const above = names.pop();
    if (above === undefined) refuse('leads out of the repository');
    if (above === '**' || /[*?[\\]/.test(above)) refuse('has a .. after a wildcard');
  }
  return names.length > 0 ? names : refuse('names no file');
}

function parseName(name: string): Token[] {
  if (/(^|[^\\])[?*+@!]\(/.test(name))
    refuse('has an extended pattern such as +(a|b): use {a,b}, or write \\( for a bracket');
  const characters = Array.from(name);
  const tokens: Token[] = [];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    if (character === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (character === '?') {
      tokens.push({ matches: () => true });
    } else if (character === '[') {
      const { token, end } = readClass(characters, index);
      tokens.push(token);
      index = end;
    } else {
      const isEscape = character === '\\';
      if (isEscape) index++;
      const meant = characters[index] ?? refuse('ends with a backslash');
      tokens.push(isEscape ? { matches: (one) => one === meant } : meant);
    }
  }
  return tokens;
}

/** Reads `[abc]`, `[a-z]` or `[!a]` from its bracket on. */
function readClass(characters: string[], open: number): { token: Token; end: number } {
  const ranges: [from: number, to: number][] = [];
  let index = open + 1;
  const isNegated = characters[index] === '!' || characters[index] === '^';
  if (isNegated) index++;
  const read = (): number => {
    if (characters[index] === '\\') index++;
    return characters[index++]?.codePointAt(0) ?? refuse('has a [ that is never closed: write \\[ for a bracket');
  };
  for (let isFirst = true; isFirst || characters[index] !== ']'; isFirst = false) {
    if (characters[index] === '[' && /^[:.=]$/.test(characters[index + 1] ?? ''))
      refuse('has a class by name, such as [:alpha:]');
    const from = read();
    const isRange = characters[index] === '-' && characters[index + 1] !== ']';
    if (isRange) index++;
    const to = isRange ? read() : from;
    if (to < from) refuse('has a range that ends before it begins');
    ranges.push([from, to]);
  }
  const holds = (character: string): boolean => {
    const point = character.codePointAt(0) ?? 0;
    return ranges.some(([from, to]) => from <= point && point <= to);
  };
  return { token: { matches: (character) => holds(character) !== isNegated }, end: index };
}

/** How far a glob reaches: `covers` if it also stands for everything inside of a folder that it matches. */
export interface Reach {
  covers: boolean;
}

/**
 * Whether a pattern matches a path. Takes time proportional to the pattern's length times the path's, because both may
 * come from hostile people.
 */
export function matchesPattern({ segments, isPlain }: Pattern, names: readonly string[], { covers }: Reach): boolean {
  /** How many names the segments so far can stand for. */
  let reached = new Set([0]);
  for (const [at, segment] of segments.entries()) {
    const next = new Set<number>();
    if (segment === '**') {
      const isLast = at === segments.length - 1;
      // At its end, `src/**` means what is inside of src.
      const least = Math.min(...reached) + (isLast && !covers ? 1 : 0);
      for (let index = least; index <= names.length; index++) next.add(index);
    } else {
      for (const index of reached)
        if (index < names.length && matchesName(segment, names[index] ?? '')) next.add(index + 1);
    }
    reached = next;
    if (reached.size === 0) return false;
  }
  return covers || isPlain || reached.has(names.length);
}

/** Matches one name. Only the last star is ever tried again, so the time stays a product of the two lengths. */
export function matchesName(tokens: Token[], name: string): boolean {
  const characters = Array.from(name);
  let at = 0;
  let star = -1;
  let starAt = 0;
  let position = 0;
  while (position < characters.length) {
    const token = tokens[at];
    if (token === '*') {
      star = at++;
      starAt = position;
    } else if (token !== undefined && matchesCharacter(token, characters[position] ?? '')) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++starAt;
    } else return false;
  }
  while (tokens[at] === '*') at++;
  return at === tokens.length;
}

function matchesCharacter(token: Token, character: string): boolean {
  return typeof token === 'string' ? token === character : token.matches(character);
}
