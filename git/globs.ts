/**
 * Matches globs against repository paths: `*`, `**`, `?`, `{a,b}`, and `\` before a character. Names that start with a
 * dot match like all others, and a glob that matches a folder covers everything in it. Matching takes time proportional
 * to glob length times path length, because globs and paths may come from hostile people.
 */
import { GitRefusal } from './contract.ts';

const maxGlobLength = 512;
const maxAlternatives = 64;

/** Makes a function that tells whether any of the globs matches a path. @throws GitRefusal `glob-unsupported` */
export function createMatcher(globs: string[], { ignoreCase = false } = {}): (path: string) => boolean {
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text);
  const patterns = globs.flatMap((glob) => expandBraces(checkedGlob(glob))).map((glob) => fold(glob).split('/'));
  return (path) => {
    const segments = fold(path).split('/');
    return patterns.some((pattern) => matchesSegments(pattern, segments));
  };
}

/**
 * Makes a function that tells whether a path is a folder that a glob names before any `**`. A link at such a path would
 * put other files in the folder's place.
 */
export function createFolderMatcher(globs: string[]): (path: string) => boolean {
  const patterns = globs
    .flatMap((glob) => expandBraces(checkedGlob(glob)))
    .map((glob) => glob.toLowerCase().split('/'));
  return (path) => {
    const segments = path.toLowerCase().split('/');
    return patterns.some(
      (pattern) =>
        segments.length < pattern.length &&
        segments.every((name, at) => pattern[at] !== '**' && matchesName(pattern[at] ?? '', name)),
    );
  };
}

function checkedGlob(glob: string): string {
  const refusal = (why: string) =>
    new GitRefusal('glob-unsupported', `The glob ${JSON.stringify(glob.slice(0, 80))} ${why}.`);
  if (glob === '' || glob.length > maxGlobLength) throw refusal(`is empty or longer than ${maxGlobLength} characters`);
  if (/^!|(?<!\\)[[\]()]/.test(glob)) throw refusal('uses !, [] or (), which are not supported');
  return glob.replace(/^\//, '').replace(/\/$/, '');
}

function expandBraces(glob: string): string[] {
  const done: string[] = [];
  const open = [glob];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const group = /(?<!\\)\{([^{}]*)\}/.exec(next);
    if (!group) done.push(next);
    else
      for (const part of (group[1] ?? '').split(','))
        open.push(next.slice(0, group.index) + part + next.slice(group.index + group[0].length));
    if (done.length + open.length > maxAlternatives)
      throw new GitRefusal('glob-unsupported', `A glob has more than ${maxAlternatives} alternatives.`);
  }
  return done;
}

/**
 * Matches segment by segment: for each pattern segment, it keeps how many path segments the pattern so far can have
 * consumed.
 */
function matchesSegments(pattern: string[], segments: string[]): boolean {
  let reachable = new Set([0]);
  for (const part of pattern) {
    const next = new Set<number>();
    for (const index of reachable) {
      if (part === '**') for (let end = index; end <= segments.length; end++) next.add(end);
      else if (index < segments.length && matchesName(part, segments[index] ?? '')) next.add(index + 1);
      if (part === '**') break;
    }
    reachable = next;
    if (reachable.size === 0) return false;
  }
  // Any end counts, since the segments that are left are inside the folder that matched.
  return true;
}

/**
 * Matches wildcards in one name. Only the last star is ever tried again, so the time stays a product of the two
 * lengths.
 */
function matchesName(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let starAt = 0;
  let position = 0;
  while (position < name.length) {
    const escaped = pattern[at] === '\\' && at + 1 < pattern.length;
    const wanted = escaped ? pattern[at + 1] : pattern[at];
    if (!escaped && wanted === '*') {
      star = at++;
      starAt = position;
    } else if (wanted === name[position] || (!escaped && wanted === '?')) {
      at += escaped ? 2 : 1;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++starAt;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
