/** Reads the values of options. A value that can't be meant is refused with the option's name, and exit code 2. */
import { InvalidArgumentError } from 'commander';
import { isBranchName } from '../base/branch-name.ts';

/** Reads a whole number. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

export const port = wholeNumber(0, 65_535);

/** Reads the name of a branch: not of a commit, such as `main~1`. */
export function branchName(text: string): string {
  if (isBranchName(text)) return text;
  throw new InvalidArgumentError('It must be the name of a branch, such as main.');
}

const maxNameLength = 100;

/** Reads `OWNER/NAME`. */
export function repositoryName(text: string): string {
  const parts = text.split('/');
  const isName = parts.length === 2 && parts.every((part) => /^(?!\.{1,2}$|-)[A-Za-z0-9_.-]+$/.test(part));
  if (isName && parts.every((part) => part.length <= maxNameLength && !part.endsWith('.git'))) return text;
  throw new InvalidArgumentError(
    `It must be OWNER/NAME, each with at most ${maxNameLength} letters, digits, _, . and -, such as acme/api.`,
  );
}

const maxWordsLength = 200;

/** Reads a short text, such as the name of a person. */
export function shortText(text: string): string {
  const trimmed = text.trim();
  if (trimmed !== '' && trimmed.length <= maxWordsLength && !/\p{Cc}/u.test(trimmed)) return trimmed;
  throw new InvalidArgumentError(`It must have 1 to ${maxWordsLength} characters, on one line.`);
}
