import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import fc from 'fast-check';
import { checkFolder, isLeftOut, type BlueprintFile } from '../../blueprints/folder.ts';
import { hashBlueprint } from '../../blueprints/pin.ts';
import { defaults } from '../../base/defaults.ts';

const { maxFiles, maxFileBytes, maxBytes } = defaults.blueprint;
const name = fc.stringMatching(/^[a-zå0-9_-]{1,8}$/).map((text) => text.normalize('NFC'));
const file = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/')),
  executable: fc.boolean(),
  base64: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64')),
});
const folder = fc.uniqueArray(file, { selector: ({ path }) => path, minLength: 1, maxLength: 6 });
const text = fc.string({ maxLength: 20 });

describe('the hash of a blueprint', () => {
  it('does not depend on the order of the files', () => {
    fc.assert(
      fc.property(text, folder, fc.infiniteStream(fc.nat()), (main, files, order) => {
        const keyed = files.map((each) => ({ each, key: order.next().value ?? 0 }));
        const shuffled = keyed.toSorted((a, b) => a.key - b.key).map(({ each }) => each);
        assert.equal(hashBlueprint(main, files), hashBlueprint(main, shuffled));
      }),
    );
  });

  it('changes with any byte, name, mode or file', () => {
    const changes: ((changed: BlueprintFile) => BlueprintFile[])[] = [
      (each) => [{ ...each, base64: Buffer.from(`${each.base64}x`).toString('base64') }],
      (each) => [{ ...each, path: `${each.path}x` }],
      (each) => [{ ...each, path: `${each.path}/x` }],
      (each) => [{ ...each, executable: !each.executable }],
      (each) => [each, { ...each, path: `${each.path}.more` }],
      () => [],
    ];
    fc.assert(
      fc.property(text, folder, fc.nat(), fc.constantFrom(...changes), (main, files, at, change) => {
        const index = at % files.length;
        const changed = files.flatMap((each, place) => (place === index ? change(each) : [each]));
        assert.notEqual(hashBlueprint(main, files), hashBlueprint(main, changed));
        assert.notEqual(hashBlueprint(main, files), hashBlueprint(`${main}x`, files));
      }),
    );
  });

  it('is the same in every version', () => {
    const files = [{ path: 'tools/find.py', executable: true, base64: Buffer.from('print()\n').toString('base64') }];
    assert.equal(
      hashBlueprint('blueprint: v1\n', files),
      '92a59bc7332a03cbfa2b30ad2f9cc91167d9ae2441e6a78deeae6afdb88de2cc',
    );
  });
});

describe('the files of a blueprint', () => {
  const codesOf = (paths: string[], sizeBytes = 1): string[] =>
    checkFolder(paths.map((path) => ({ path, sizeBytes }))).map(({ code }) => code);

  it('have relative paths of visible names in one spelling', () => {
    assert.deepEqual(codesOf(['a.py', 'tools/find.py', 'with space', 'ünï', 'a/b/c/d']), []);
    const elsewhere = [
      '/etc/passwd',
      '../up',
      'a/../../up',
      'a//b',
      'a/',
      '',
      '.',
      '.git/config',
      'a/.GIT/x',
      '..data',
    ];
    const unreadable = ['a\nb', 'a\u0000', 'a\u202Eb', 'a\\b', 'u\u0308', '\uD800'];
    const long = ['x'.repeat(256), `${'x/'.repeat(300)}x`];
    for (const path of [...elsewhere, ...unreadable, ...long]) {
      const [problem] = checkFolder([{ path, sizeBytes: 1 }]);
      assert.equal(problem?.code, 'blueprint-file-refused', JSON.stringify(path));
      assert.ok(problem.message.includes(JSON.stringify(path.slice(0, 200))), problem.message);
    }
  });

  it('have no paths that differ only in upper and lower case, and no file that is also a folder', () => {
    for (const paths of [['Tool', 'tool'], ['a/x', 'A/y'], ['a', 'a/b'], ['a/b', 'a'], ['x', 'x'], ['Blueprint.yaml']])
      assert.deepEqual(codesOf(paths), ['blueprint-file-refused'], paths.join(' '));
    assert.deepEqual(codesOf(['a/x', 'a/y', 'b/x']), []);
  });

  it('are limited in number, in size and in total', () => {
    const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `file-${index}`);
    assert.deepEqual(codesOf(many(maxFiles - 1)), []);
    assert.deepEqual(codesOf(many(maxFiles)), ['blueprint-folder-too-large']);
    assert.deepEqual(codesOf(['a'], maxFileBytes), []);
    assert.deepEqual(codesOf(['a'], maxFileBytes + 1), ['blueprint-folder-too-large']);
    assert.deepEqual(codesOf(many(5), maxBytes / 5), []);
    assert.deepEqual(codesOf(many(5), maxBytes / 5 + 1), ['blueprint-folder-too-large']);
  });

  it('exclude hidden files, Python’s cache, and the cases', () => {
    for (const path of ['.git', '.env', 'a/.DS_Store', 'tools/__pycache__/x.pyc', 'cases', 'cases/one/x'])
      assert.ok(isLeftOut(path), path);
    for (const path of ['README.md', 'tools/cases/x', 'cases.md']) assert.ok(!isLeftOut(path), path);
  });
});
