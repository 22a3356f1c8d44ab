/** Matches globs against repository paths. blueprints/globs.ts says what a glob means. */
import { matchesName, matchesPattern, parseGlob, type Pattern } from '../blueprints/globs.ts';
import { GitRefusal } from './contract.ts';

/** Makes a function that tells whether any of the globs matches a path. @throws GitRefusal `glob-unsupported` */
export function createMatcher(globs: string[]): (path: string) => boolean {
  const patterns = globs.flatMap(patternsOf);
  return (path) => {
    const names = path.split('/');
    return patterns.some((pattern) => matchesPattern(pattern, names, { covers: false }));
  };
}

/** What globs protect. */
export interface Protection {
  /** Whether a path is protected: a glob matches it or a folder around it, in capitals or not. */
  protects(path: string): boolean;
  /**
   * Whether a path is a folder that a glob names before any `**`. A link at such a path would put other files in the
   * folder's place.
   */
  hides(path: string): boolean;
}

/** @throws GitRefusal `glob-unsupported` */
export function createProtection(globs: string[]): Protection {
  const patterns = globs.flatMap((glob) => patternsOf(glob.replace(/^\//, '').toLowerCase()));
  const namesOf = (path: string): string[] => path.toLowerCase().split('/');
  return {
    protects(path) {
      const names = namesOf(path);
      return patterns.some((pattern) => matchesPattern(pattern, names, { covers: true }));
    },
    hides(path) {
      const names = namesOf(path);
      return patterns.some(
        ({ segments }) =>
          names.length < segments.length &&
          names.every((name, at) => {
            const segment = segments[at];
            return segment !== undefined && segment !== '**' && matchesName(segment, name);
          }),
      );
    },
  };
}

function patternsOf(glob: string): Pattern[] {
  const parsed = parseGlob(glob);
  if ('patterns' in parsed) return parsed.patterns;
  throw new GitRefusal('glob-unsupported', `The glob ${JSON.stringify(glob.slice(0, 80))} ${parsed.problem}.`);
}
