/** What a reviewer of a change should know besides its diff. The names of files are untrusted. */
import { plural } from '../base/plural.ts';
import type { ExportedCommit, FileChange, LeftOut } from '../git/contract.ts';

type Remarked = Pick<ExportedCommit, 'files' | 'leftOut'>;

/** All remarks on a change, one a line; none for most. */
export function remarksOn({ files, leftOut }: Remarked): string[] {
  return [...surprisesOf({ files, leftOut }), ...describe(leftOut?.made, (be) => `that setup or a check made ${be}`)];
}

/** The remarks that belong into the run's line: what its author may not expect. */
export function surprisesOf({ files, leftOut }: Remarked): string[] {
  return [...describeModes(files), ...describe(leftOut?.ignored, (be) => `${be} ignored by .gitignore and`)];
}

function describeModes(files: FileChange[]): string[] {
  const changed = files.filter(
    ({ status, oldMode, newMode }) => status !== 'added' && status !== 'deleted' && oldMode !== newMode,
  );
  const shown = changed.slice(0, 5).map(({ path, oldMode, newMode }) => `${path}: mode ${oldMode} -> ${newMode}`);
  return changed.length > shown.length ? [...shown, `… and ${changed.length - shown.length} more modes`] : shown;
}

function describe(files: LeftOut['made'] | undefined, what: (be: string) => string): string[] {
  if (!files || files.count === 0) return [];
  const { count, paths } = files;
  const named = [...paths, ...(count > paths.length ? ['…'] : [])].join(', ');
  return [`${plural(count, 'new file')} ${what(count === 1 ? 'is' : 'are')} not in the change: ${named}`];
}
