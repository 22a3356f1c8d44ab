import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { FileChange } from '../../git/contract.ts';
import { remarksOn, surprisesOf } from '../../workflows/remarks.ts';

const file = (
  path: string,
  oldMode: string,
  newMode: string,
  status: FileChange['status'] = 'modified',
): FileChange => ({
  path,
  status,
  oldMode,
  newMode,
  sizeBytes: 1,
});

test('each changed mode is shown as git shows it, and new, deleted and other files are not', () => {
  assert.deepEqual(
    remarksOn({
      files: [
        file('run.sh', '100755', '100644'),
        file('link', '120000', '100644', 'type-changed'),
        file('same', '100644', '100644'),
        file('new', '000000', '100755', 'added'),
        file('gone', '100755', '000000', 'deleted'),
      ],
    }),
    ['run.sh: mode 100755 -> 100644', 'link: mode 120000 -> 100644'],
  );
});

test('files that are left out are counted, and the first are named', () => {
  const leftOut = { ignored: { count: 7, paths: ['a', 'b'] }, made: { count: 1, paths: ['c'] } };
  assert.equal(surprisesOf({ files: [], leftOut }).length, 1);
  assert.deepEqual(remarksOn({ files: [], leftOut }), [
    '7 new files are ignored by .gitignore and not in the change: a, b, …',
    '1 new file that setup or a check made is not in the change: c',
  ]);
});
