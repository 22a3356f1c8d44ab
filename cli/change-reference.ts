/** Finds the change of the local forge that a person means. */
import type { Change } from '../forge/contract.ts';
import { ForgeFailure } from '../forge/errors.ts';
import type { LocalForge } from '../forge/local/local-forge.ts';
import { BadInput } from './failure.ts';

/** Reads `local/api 1`, `local/api#1`, or `1` if there is only one repository. @throws BadInput `forge-not-found` */
export function findChangeReference(words: string[], repositories: string[]): { repository: string; number: number } {
  const [first = '', second = '', ...more] =
    words.length === 1 && words[0]?.includes('#') ? words[0].split('#') : words.length === 1 ? ['', ...words] : words;
  const number = /^[1-9][0-9]{0,8}$/.test(second) ? Number(second) : undefined;
  if (number === undefined || more.length > 0)
    throw new BadInput('forge-not-found', `${words.join(' ')} is not a change`, {
      hint: 'Write OWNER/NAME NUMBER, such as local/api 1.',
    });
  if (first) return { repository: first, number };
  const [only, ...others] = repositories;
  if (!only)
    throw new BadInput('forge-not-found', 'The local forge has no repositories', {
      hint: 'Add one: jig repo add PATH',
    });
  if (others.length > 0)
    throw new BadInput('forge-not-found', `Change ${number} could be in any repository of the forge: name one`, {
      hint: `The forge has: ${repositories.join(', ')}`,
    });
  return { repository: only, number };
}

/** The change with this number. @throws ForgeFailure `forge-not-found` */
export async function describeChange(forge: LocalForge, repository: string, number: number): Promise<Change> {
  const found = await forge.findChange(repository, { number });
  if (!found) throw new ForgeFailure('forge-not-found', `${repository} has no change ${number}.`);
  return found;
}
