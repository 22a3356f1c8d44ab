import { join } from 'node:path';
import { gitOutput, type RunGit } from './command.ts';
import type { RawChange } from './raw-diff.ts';

/**
 * The files that git stores through a filter, such as Git LFS or encryption, by the attributes of these trees. Only git
 * with that filter can make their content.
 */
export async function findFilteredFiles(
  git: RunGit,
  gitDir: string,
  trees: string[],
  changes: RawChange[],
): Promise<Set<RawChange>> {
  const found = new Set<RawChange>();
  if (changes.length === 0) return found;
  const call = { gitDir, env: { GIT_INDEX_FILE: join(gitDir, 'attributes-index') } };
  const input = changes.map(({ path }) => `${path}\0`).join('');
  for (const tree of trees) {
    await gitOutput(git, ['read-tree', tree], call);
    const answer = await gitOutput(git, ['check-attr', '--cached', '-z', '--stdin', 'filter'], { ...call, input });
    const words = answer.toString().split('\0');
    for (const [index, change] of changes.entries()) {
      const value = words[index * 3 + 2];
      if (value !== 'unspecified' && value !== 'unset') found.add(change);
    }
  }
  return found;
}
