import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { runTool } from '../../agent/run-tool.ts';
import { makeFolder } from './local-operations.ts';

const long = Array.from({ length: 1000 }, (_, index) => `line ${index + 1}`).join('\n');

test('read shows lines unchanged, with their numbers and how to get the rest', async () => {
  await using folder = await makeFolder({ 'a.txt': long });
  const { text } = await runTool(
    { tool: 'read', arguments: { path: 'a.txt', offset: 10, limit: 2 } },
    folder.operations,
  );
  assert.equal(
    text,
    '[a.txt, lines 10 to 11 of 1000:]\nline 10\nline 11\n[989 more lines; the next: {"path": "a.txt", "offset": 12}]',
  );
});

test('read beyond the end shows the file from its first line', async () => {
  await using folder = await makeFolder({ 'a.txt': 'one\ntwo\n' });
  const { text } = await runTool({ tool: 'read', arguments: { path: 'a.txt', offset: 69 } }, folder.operations);
  assert.equal(text, '[a.txt has only 2 lines; from the first:]\none\ntwo');
});

test('read stays within 10,000 characters, whatever is asked for', async () => {
  await using folder = await makeFolder({ 'a.txt': `${'x'.repeat(50_000)}\n${long}\n${long}` });
  const { text } = await runTool({ tool: 'read', arguments: { path: 'a.txt', limit: 2000 } }, folder.operations);
  assert(text.length <= 10_000, String(text.length));
});

test('a file is also found by its absolute path in the workspace', async () => {
  await using folder = await makeFolder({ 'src/a.txt': 'hello' });
  const { text } = await runTool(
    { tool: 'read', arguments: { path: `${folder.path}/src/./a.txt` } },
    folder.operations,
  );
  assert.equal(text, '[src/a.txt, lines 1 to 1 of 1:]\nhello');
});

for (const path of ['../etc/passwd', '/etc/passwd', 'src/../../x', '.git/config', 'a\0b']) {
  test(`the path ${JSON.stringify(path)} is refused`, async () => {
    await using folder = await makeFolder({});
    const { ok } = await runTool({ tool: 'write', arguments: { path, text: 'x' } }, folder.operations);
    assert.equal(ok, false);
  });
}

test('if a file does not exist, the answer says how to look for it', async () => {
  await using folder = await makeFolder({});
  const { ok, text } = await runTool({ tool: 'read', arguments: { path: 'none.py' } }, folder.operations);
  assert.equal(ok, false);
  assert.match(text, /There is no file none.py/);
});

test('edit replaces exact text and shows the new lines', async () => {
  await using folder = await makeFolder({ 'a.py': 'import os\nretries = 3\nprint(retries)\n' });
  const { text } = await runTool(
    { tool: 'edit', arguments: { path: 'a.py', old: 'retries = 3', new: 'retries = 5' } },
    folder.operations,
  );
  assert.match(text, /It now reads:\n2\tretries = 5$/);
  assert.equal(await folder.text('a.py'), 'import os\nretries = 5\nprint(retries)\n');
});

test("edit and write change only files that the step's globs allow, and list the globs", async () => {
  await using folder = await makeFolder({ 'src/a.py': 'x', 'setup.py': 'x' }, { allowPaths: ['src/**/*.py'] });
  const refused = await runTool(
    { tool: 'edit', arguments: { path: 'setup.py', old: 'x', new: 'y' } },
    folder.operations,
  );
  assert.deepEqual(refused, { ok: false, text: 'setup.py may not be changed in this step. These may: src/**/*.py' });
  const around = await runTool({ tool: 'write', arguments: { path: 'src/../setup.py', text: 'y' } }, folder.operations);
  assert.equal(around.ok, false);
  assert.equal(
    (await runTool({ tool: 'edit', arguments: { path: 'src/a.py', old: 'x', new: 'y' } }, folder.operations)).ok,
    true,
  );
  assert.equal(await folder.text('setup.py'), 'x');
});

test('write makes the file and its folders', async () => {
  await using folder = await makeFolder({});
  await runTool({ tool: 'write', arguments: { path: 'docs/new/notes.md', text: '# Notes\n' } }, folder.operations);
  assert.equal(await folder.text('docs/new/notes.md'), '# Notes\n');
});

test('search finds a literal text and shows the path and line of each match', async () => {
  await using folder = await makeFolder({
    'src/a.py': 'x\ny = datetime.utcnow()\n',
    'src/b.py': 'datetimeXutcnow()\n',
  });
  const { text } = await runTool({ tool: 'search', arguments: { text: 'datetime.utcnow(' } }, folder.operations);
  assert.equal(text, 'src/a.py:2:y = datetime.utcnow()');
});

test('search uses a regular expression only if asked to, and says if it finds nothing', async () => {
  await using folder = await makeFolder({ 'a.py': 'abc123\n' });
  assert.match(
    (await runTool({ tool: 'search', arguments: { text: '[0-9]+', regex: true } }, folder.operations)).text,
    /a.py:1/,
  );
  assert.match(
    (await runTool({ tool: 'search', arguments: { text: '[0-9]+' } }, folder.operations)).text,
    /No line of the repository holds "\[0-9\]\+"/,
  );
});

test('a search in a folder that does not exist searches the whole repository, and says so', async () => {
  await using folder = await makeFolder({ 'src/a.py': 'y = 1\n' });
  const found = await runTool({ tool: 'search', arguments: { text: 'y = 1', path: 'lib' } }, folder.operations);
  assert.deepEqual(found, { ok: true, text: '[There is no lib; in the whole repository:]\nsrc/a.py:1:y = 1' });
});

test('search marks the lines that it cut, and says that it searches one line at a time', async () => {
  await using folder = await makeFolder({ 'wide.txt': `wide ${'x'.repeat(3000)}\n`, 'other.txt': 'beta\n' });
  assert.match(
    (await runTool({ tool: 'search', arguments: { text: 'wide' } }, folder.operations)).text,
    /\[cut: 3\d{3} characters; read the file at this line\]/,
  );
  assert.match(
    (await runTool({ tool: 'search', arguments: { text: 'beta\n' } }, folder.operations)).text,
    /^other\.txt:1:beta$/,
  );
  const { ok, text } = await runTool({ tool: 'search', arguments: { text: 'wide\nbeta' } }, folder.operations);
  assert.ok(!ok && text.includes('one line at a time'), text);
});

test('a file that is not UTF-8 is not edited, because other bytes in it would change', async () => {
  await using folder = await makeFolder({});
  const bytes = Buffer.from('name = "caf\xe9"\nretries = 3\n', 'latin1');
  await writeFile(join(folder.path, 'old.py'), bytes);
  const { ok, text } = await runTool(
    { tool: 'edit', arguments: { path: 'old.py', old: 'retries = 3', new: 'retries = 5' } },
    folder.operations,
  );
  assert.ok(!ok && text.includes('not UTF-8'), text);
  assert.deepEqual(await readFile(join(folder.path, 'old.py')), bytes);
});

test('a search for text that looks like an option finds that text', async () => {
  await using folder = await makeFolder({ 'a.txt': 'run with --include=x\n' });
  assert.match(
    (await runTool({ tool: 'search', arguments: { text: '--include=x' } }, folder.operations)).text,
    /a.txt:1/,
  );
});

test('shell gives the exit code and both outputs', async () => {
  await using folder = await makeFolder({});
  const result = await runTool(
    { tool: 'shell', arguments: { command: 'echo out; echo err >&2; exit 3' } },
    folder.operations,
  );
  assert.deepEqual(result, { ok: false, text: 'exit code 3\nout\nerr' });
});

test('a long output keeps its beginning and end and says how to get the rest', async () => {
  await using folder = await makeFolder({});
  const { text } = await runTool({ tool: 'shell', arguments: { command: 'seq 1 100000' } }, folder.operations);
  assert(text.length <= 10_000);
  assert.match(text, /^exit code 0\n1\n2\n[^]*left out; to see the rest.*sed -n[^]*\n100000$/);
});

test('the result of a command that took too long says so', async () => {
  await using folder = await makeFolder({});
  const { ok, text } = await runTool({ tool: 'shell', arguments: { command: 'sleep 5' } }, folder.operations, {
    timeoutMs: 100,
  });
  assert.equal(ok, false);
  assert.match(text, /^ended after 0.1 s, its time limit/);
});

test('a file that is too large says its size, and how to see a part of it whatever its name', async () => {
  await using folder = await makeFolder({ "big 'file'.txt": 'x\n'.repeat(700_000) });
  const { text } = await runTool({ tool: 'read', arguments: { path: "big 'file'.txt" } }, folder.operations);
  assert.match(text, /has 1400000 bytes/);
  const { command } = JSON.parse(text.slice(text.indexOf('{'))) as { command: string };
  const shown = await runTool({ tool: 'shell', arguments: { command } }, folder.operations);
  assert.match(shown.text, /^exit code 0\nx\nx/);
});

test('a name that only looks the same is the name of the file, for reading and for writing', async () => {
  const spelt = 'nai\u0308ve/cafe\u0301.txt';
  await using folder = await makeFolder({ [spelt]: 'one\n' }, { allowPaths: ['**/*.txt'] });
  const path = spelt.normalize('NFC');
  const read = await runTool({ tool: 'read', arguments: { path } }, folder.operations);
  assert.match(read.text, /\none$/);
  await runTool({ tool: 'edit', arguments: { path, old: 'one', new: 'two' } }, folder.operations);
  await runTool({ tool: 'write', arguments: { path, text: 'three\n' } }, folder.operations);
  assert.equal(await folder.text(spelt), 'three\n');
  await assert.rejects(folder.text(path));
});

test('a new file with an accent in its name gets the name that was asked for', async () => {
  await using folder = await makeFolder({});
  await runTool({ tool: 'write', arguments: { path: 'caf\u00e9/a.txt', text: 'x' } }, folder.operations);
  assert.equal(await folder.text('caf\u00e9/a.txt'), 'x');
});

test('write over a file keeps its line ends and its mark, and a refusal names other bytes', async () => {
  await using folder = await makeFolder({ 'a.bat': '\uFEFFecho a\r\necho b\r\n', 'mixed.txt': 'a\r\nb\nc\r\n' });
  const write = async (path: string, text: string) =>
    runTool({ tool: 'write', arguments: { path, text } }, folder.operations);
  const { text } = await write('a.bat', 'echo a\necho c\necho d\n');
  assert.match(text, /It kept its CRLF line ends/);
  assert.equal(await folder.text('a.bat'), '\uFEFFecho a\r\necho c\r\necho d\r\n');
  await write('mixed.txt', 'new\na\nb\nc\n');
  assert.equal(await folder.text('mixed.txt'), 'new\r\na\r\nb\nc\r\n');
  await writeFile(join(folder.path, 'latin1.txt'), Buffer.from([0x63, 0xe9, 0x0a]));
  assert.match((await write('latin1.txt', 'ce\n')).text, /it is not UTF-8 text/);
  assert.deepEqual(await readFile(join(folder.path, 'latin1.txt')), Buffer.from([0x63, 0xe9, 0x0a]));
});

test('read and search show lines without their line ends and the mark, and read names them', async () => {
  await using folder = await makeFolder({ 'a.bat': '\uFEFFecho a\r\necho b\r\n' });
  const read = await runTool({ tool: 'read', arguments: { path: 'a.bat' } }, folder.operations);
  assert.equal(
    read.text,
    '[a.bat, lines 1 to 2 of 2, with CRLF line ends, which edit and write keep:]\necho a\necho b',
  );
  const search = await runTool({ tool: 'search', arguments: { text: 'echo' } }, folder.operations);
  assert.equal(search.text, 'a.bat:1:echo a\na.bat:2:echo b');
});
