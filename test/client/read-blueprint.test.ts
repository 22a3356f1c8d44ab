import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { execa } from 'execa';
import { defaults } from '../../base/defaults.ts';
import { readBlueprintFolder } from '../../client/read-blueprint.ts';

const { maxFiles, maxFileBytes, maxBytes } = defaults.blueprint;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jig-folder-'));
  await add('blueprint.yaml', 'blueprint: v1\n');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function add(path: string, content: string | Buffer = '', mode = 0o644): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  await chmod(file, mode);
}

const problemsOf = async (): Promise<string[]> =>
  (await readBlueprintFolder(folder)).problems.map(({ code, message }) => `${code}: ${message}`);

test('a folder is read exactly: every byte, and whether the owner may execute a file', async () => {
  await add('find.py', 'print(1)\n', 0o600);
  await add('tools/deep/run', Buffer.from([0, 255, 10]), 0o700);
  await add('group-only', '', 0o654);
  await add('.env', 'SECRET=1');
  await add('cases/one.yaml', 'x');
  await add('tools/__pycache__/x.pyc', 'x');
  const { file, bytes, files, problems } = await readBlueprintFolder(folder);
  assert.deepEqual(
    [file, Buffer.from(bytes).toString(), problems],
    [join(folder, 'blueprint.yaml'), 'blueprint: v1\n', []],
  );
  assert.deepEqual(files, [
    { path: 'find.py', executable: false, base64: Buffer.from('print(1)\n').toString('base64') },
    { path: 'group-only', executable: false, base64: '' },
    { path: 'tools/deep/run', executable: true, base64: Buffer.from([0, 255, 10]).toString('base64') },
  ]);
});

test('a link is refused by name, wherever it leads', async () => {
  await add('real');
  await symlink('real', join(folder, 'inside'));
  await symlink('/etc/passwd', join(folder, 'outside'));
  await symlink('/nowhere', join(folder, 'dangling'));
  await symlink('..', join(folder, 'up'));
  assert.deepEqual(
    await problemsOf(),
    ['dangling', 'inside', 'outside', 'up'].map(
      (name) =>
        `blueprint-file-refused: "${name}" is a symbolic link; a blueprint's folder may hold only regular files`,
    ),
  );
});

test('a blueprint.yaml that is a link is refused too', async () => {
  await rename(join(folder, 'blueprint.yaml'), join(folder, 'other.yaml'));
  await symlink('other.yaml', join(folder, 'blueprint.yaml'));
  assert.deepEqual(await problemsOf(), [
    `blueprint-file-refused: "blueprint.yaml" is a symbolic link; a blueprint's folder may hold only regular files`,
  ]);
});

test('pipes and sockets are refused without waiting for them', async () => {
  await execa('mkfifo', [join(folder, 'pipe')]);
  await using server = createServer().listen(join(folder, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  assert.deepEqual(
    await problemsOf(),
    ['pipe', 'socket'].map(
      (name) =>
        `blueprint-file-refused: "${name}" is a device, a pipe or a socket; a blueprint's folder may hold only regular files`,
    ),
  );
});

test('a name that is not UTF-8 or contains a control character is refused', async () => {
  await writeFile(Buffer.concat([Buffer.from(`${folder}/bad-`), Buffer.from([0xff])]), '');
  await add('two\nlines');
  const [notText = '', control = '', ...more] = await problemsOf();
  assert.match(notText, /^blueprint-file-refused: the name of "bad-\uFFFD" is not UTF-8$/);
  assert.match(control, /^blueprint-file-refused: the name of "two\\nlines" contains control characters$/);
  assert.deepEqual(more, []);
});

test('a file that is too large is named, and too many files or too many bytes are reported', async () => {
  await add('large', Buffer.alloc(maxFileBytes + 1));
  assert.match((await problemsOf()).join(), /^blueprint-folder-too-large: "large" has 1048577 bytes/);
  await rm(join(folder, 'large'));
  for (let index = 0; index < 5; index += 1) await add(`part-${index}`, Buffer.alloc(maxBytes / 5 + 1));
  assert.match(
    (await problemsOf()).join(),
    /^blueprint-folder-too-large: The files of the blueprint have 41943\d\d bytes/,
  );
  for (let index = 0; index < 5; index += 1) await add(`part-${index}`);
  for (let index = 0; index < maxFiles; index += 1) await add(`more/${index}`);
  assert.deepEqual(await problemsOf(), [
    `blueprint-folder-too-large: The folder of the blueprint has more than ${maxFiles} files and folders`,
  ]);
});

test('a folder without a blueprint.yaml is not a blueprint', async () => {
  await rm(join(folder, 'blueprint.yaml'));
  await assert.rejects(readBlueprintFolder(folder), { code: 'blueprint-not-found' });
  await assert.rejects(readBlueprintFolder(join(folder, 'none')), { code: 'file-unreadable' });
});
