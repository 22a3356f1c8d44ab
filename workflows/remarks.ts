/** What a reviewer of a change should know besides its diff. The names of files are untrusted. */
import { plural } from '../base/plural.ts';
import type { ExportedCommit, FileChange, LeftOut } from '../git/contract.ts';

/** The remarks on a change, one a line; none for most. */
export function remarksOn({ files, leftOut }: Pick<ExportedCommit, 'files' | 'leftOut'>): string[] {
  return [...describeModes(files), ...describeLeftOut(leftOut)];
}

function describeModes(files: FileChange[]): string[] {
  const changed = files.filter(
    ({ status, oldMode, newMode }) => status !== 'added' && status !== 'deleted' && oldMode !== newMode,
  );
  const shown = changed.slice(0, 5).map(({ path, oldMode, newMode }) => `${path}: mode ${oldMode} -> ${newMode}`);
  return changed.length > shown.length ? [...shown, `… and ${changed.length - shown.length} more modes`] : shown;
}

function describeLeftOut(leftOut: LeftOut | undefined): string[] {
  if (!leftOut) return [];
  const { ignored, made } = leftOut;
  const be = (count: number): string => (count === 1 ? 'is' : 'are');
  return [
    ...(ignored.count > 0
      ? [
          `${plural(ignored.count, 'new file')} ${be(ignored.count)} ignored by .gitignore and not in the change: ${named(ignored)}`,
        ]
      : []),
    ...(made.count > 0
      ? [
          `${plural(made.count, 'new file')} that setup or a check made ${be(made.count)} not in the change: ${named(made)}`,
        ]
      : []),
  ];
}

const named = ({ count, paths }: LeftOut['made']): string =>
  [...paths, ...(count > paths.length ? ['…'] : [])].join(', ');
