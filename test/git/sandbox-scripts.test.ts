import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, test } from 'vitest';
import { mirrorPath } from '../../git/mirror.ts';
import {
  checkoutScript,
  exportScript,
  listLeftOutScript,
  noteAfterScript,
  noteBeforeScript,
  nothingToExport,
} from '../../git/sandbox-scripts.ts';
import { access, checkoutArguments, createFixture, runScript, type Fixture } from './fixture.ts';

let fixture: Fixture;
let workspace: string;
let bundle: string;
beforeAll(async () => {
  fixture = await createFixture({
    'a.txt': 'one\r\ntwo\n',
    'src/b.txt': 'b\n',
    '.gitignore': 'ignored/\n',
    '.gitattributes':
      '* text=auto\n*.txt eol=crlf\n*.big filter=lfs\n*.id ident\n*.u16 working-tree-encoding=UTF-16LE\n*.raw -text\n',
    'm.big': 'a pointer\n',
    'v.id': '$Id$\n',
    'w.u16': Buffer.from('wide\n', 'utf16le'),
  });
  await fixture.trusted.ensureMirror(fixture.repository, access);
  bundle = (await fixture.trusted.createCheckoutBundle(fixture.repository, fixture.base)).path;
});
afterAll(() => fixture.close());

const checkout = () =>
  runScript(workspace, checkoutScript, checkoutArguments(fixture.base, 'jig/work', 'Jig', 'jig@example.com'), {
    inputFile: bundle,
  });
beforeEach(async () => {
  workspace = join(fixture.folder, 'workspace');
  assert.equal((await checkout()).exitCode, 0);
});
const git = (...args: string[]) => fixture.gitIn(workspace)(args);
const write = (path: string, content: string | Uint8Array) => writeFile(join(workspace, path), content);
const exported = async () => {
  const result = await runScript(workspace, exportScript, [fixture.base]);
  assert.equal(result.exitCode, 0, result.stderr);
  const path = join(fixture.folder, 'exported.bundle');
  await writeFile(path, result.stdout);
  return fixture.quarantine(path);
};
const pathsOf = async () => (await exported()).files.map(({ path, status }) => `${status} ${path}`);

test('a checkout is the commit as git has it anywhere, on a branch and with an identity', async () => {
  assert.equal(await git('rev-parse', 'HEAD'), fixture.base);
  assert.equal(await git('symbolic-ref', '--short', 'HEAD'), 'jig/work');
  assert.equal(await git('config', 'user.email'), 'jig@example.com');
  assert.equal(await git('status', '--porcelain', '--ignored'), '');
  assert.equal(await readFile(join(workspace, 'a.txt'), 'utf8'), 'one\r\ntwo\r\n');
  assert.match(await readFile(join(workspace, 'v.id'), 'utf8'), /^\$Id: [0-9a-f]{40} \$\n$/);
  assert.equal(await readFile(join(workspace, 'w.u16'), 'utf16le'), 'wide\n');
});

test('a repeated checkout gives that commit again, whatever was there', async () => {
  await mkdir(join(workspace, 'ignored/deep'), { recursive: true });
  await write('ignored/deep/file', 'left over');
  await chmod(join(workspace, 'ignored/deep'), 0o500);
  await write('a.txt', 'changed');
  await write('.git/config', 'not a configuration [');
  await write('-rf', 'a name');
  assert.equal((await checkout()).exitCode, 0);
  assert.equal(await git('status', '--porcelain', '--ignored'), '');
  assert.equal(await git('rev-parse', 'HEAD'), fixture.base);
});

test('a workspace without changes exports nothing, with its own exit code', async () => {
  await mkdir(join(workspace, 'ignored'));
  await write('ignored/file', 'x');
  const result = await runScript(workspace, exportScript, [fixture.base]);
  assert.equal(result.exitCode, nothingToExport);
  assert.equal(result.stdout.length, 0);
});

test('added, changed and deleted files are exported, and files that .gitignore names are not', async () => {
  await write('a.txt', 'one\r\nTWO\n');
  await write('new.bin', 'with \0 and \r\n');
  await rm(join(workspace, 'src'), { recursive: true });
  await mkdir(join(workspace, 'ignored'));
  await write('ignored/file', 'x');
  assert.deepEqual(await pathsOf(), ['modified a.txt', 'added new.bin', 'deleted src/b.txt']);
});

test('whatever commits, branches and rebases an agent makes, the export is the final tree', async () => {
  await write('committed.txt', '1\n');
  await git('add', '-A');
  await git('commit', '-qm', 'by the agent');
  await git('checkout', '-q', '--orphan', 'elsewhere');
  await write('uncommitted.txt', '2\n');
  assert.deepEqual(await pathsOf(), ['added committed.txt', 'added uncommitted.txt']);
});

const damages: [rule: string, damage: () => Promise<unknown>][] = [
  ['a broken configuration', () => write('.git/config', '[core\n')],
  [
    'hooks and a monitor that fail',
    async () => {
      await mkdir(join(workspace, '.git/hooks'), { recursive: true });
      for (const hook of ['pre-commit', 'commit-msg', 'reference-transaction', 'post-index-change']) {
        await write(`.git/hooks/${hook}`, '#!/bin/sh\nexit 1\n');
        await chmod(join(workspace, '.git/hooks', hook), 0o755);
      }
      await git('config', 'core.fsmonitor', 'false-monitor');
      await git('config', 'filter.lfs.clean', 'exit 1');
      await git('config', 'filter.lfs.required', 'true');
    },
  ],
  ['a broken index', () => write('.git/index', 'DIRC no more')],
  ['a lock that stayed', () => write('.git/index.lock', '')],
  ['an index that hides the change', () => git('update-index', '--assume-unchanged', 'a.txt')],
  [
    'an exclude file that hides the change',
    async () => {
      await mkdir(join(workspace, '.git/info'), { recursive: true });
      await write('.git/info/exclude', '*\n');
    },
  ],
  ['a lost HEAD', () => write('.git/HEAD', 'nonsense\n')],
  ['lost objects', () => rm(join(workspace, '.git/objects'), { recursive: true })],
  ['no .git at all', () => rm(join(workspace, '.git'), { recursive: true })],
  [
    'a .git file that points nowhere',
    async () => {
      await rm(join(workspace, '.git'), { recursive: true });
      await write('.git', 'gitdir: /nowhere\n');
    },
  ],
];
for (const [rule, damage] of damages) {
  test(`a change is exported in spite of ${rule}`, async () => {
    await damage();
    await write('a.txt', 'changed\n');
    assert.deepEqual(await pathsOf(), ['modified a.txt']);
  });
}

test('git settings in the environment have no effect', async () => {
  await write('a.txt', 'changed\n');
  const env = {
    GIT_DIR: '/nowhere',
    GIT_INDEX_FILE: '/nowhere',
    GIT_WORK_TREE: '/nowhere',
    GIT_OBJECT_DIRECTORY: '/nowhere',
  };
  assert.equal((await runScript(workspace, exportScript, [fixture.base], { env })).exitCode, 0);
  assert.equal(
    (
      await runScript(workspace, checkoutScript, checkoutArguments(fixture.base, 'b', 'n', 'e'), {
        env,
        inputFile: bundle,
      })
    ).exitCode,
    0,
  );
});

test('a repository that was cloned inside the workspace is refused as a submodule', async () => {
  await git('clone', '-q', fixture.origin, 'nested');
  await assert.rejects(exported(), { code: 'submodule', paths: ['nested'] });
});

const blob = async (commit: string | undefined, path: string) =>
  (
    await execa('git', ['cat-file', 'blob', `${commit}:${path}`], {
      cwd: mirror(),
      encoding: 'buffer',
      stripFinalNewline: false,
    })
  ).stdout;
const mirror = () => mirrorPath({ git: async () => assert.fail(), cacheDir: fixture.cacheDir }, fixture.repository);

test('an export holds what git itself would commit: line ends, encodings and ids as the attributes say', async () => {
  await write('a.txt', 'ONE\r\ntwo\r\n');
  await write('new.txt', 'three\r\n');
  await write('w.u16', Buffer.from('wider\n', 'utf16le'));
  await write('v.id', '$Id: 0000 $\nnew\n');
  await write('b.raw', 'x\r\n');
  await write('latin1.cfg', Buffer.from([0xe9, 0x0a]));
  const { commit } = await exported();
  const texts = await Promise.all(
    ['a.txt', 'new.txt', 'w.u16', 'v.id', 'b.raw', 'latin1.cfg'].map((path) => blob(commit, path)),
  );
  const wanted = ['ONE\ntwo\n', 'three\n', 'wider\n', '$Id$\nnew\n', 'x\r\n'].map((text) => Buffer.from(text));
  assert.deepEqual(
    texts.map((bytes) => Buffer.from(bytes)),
    [...wanted, Buffer.from([0xe9, 0x0a])],
  );
});

test('a file that the repository holds in other line ends than its attributes say changes only with the step that writes it', async () => {
  const other = await createFixture({ 'a.bat': 'a\r\n', 'b.bat': 'b\r\n' });
  await other.gitIn(other.source)(['config', 'core.autocrlf', 'false']);
  await writeFile(join(other.source, '.gitattributes'), '*.bat text eol=crlf\n');
  await other.git(['add', '.gitattributes']);
  await other.git(['commit', '-qm', 'Attributes']);
  await other.git(['push', '-q', other.origin, 'HEAD:trunk']);
  await other.trusted.ensureMirror(other.repository, access);
  const base = await other.git(['rev-parse', 'HEAD']);
  const { path } = await other.trusted.createCheckoutBundle(other.repository, base);
  const there = join(other.folder, 'workspace');
  assert.equal((await runScript(there, checkoutScript, checkoutArguments(base, 'b'), { inputFile: path })).exitCode, 0);
  assert.equal((await runScript(there, exportScript, [base])).exitCode, nothingToExport);
  await writeFile(join(there, 'b.bat'), 'B\r\n');
  const { stdout, exitCode } = await runScript(there, exportScript, [base]);
  assert.equal(exitCode, 0);
  const exportPath = join(other.folder, 'out.bundle');
  await writeFile(exportPath, stdout);
  assert.deepEqual(
    (await other.quarantine(exportPath, {}, base)).files.map((file) => file.path),
    ['b.bat'],
  );
  await other.close();
});

/** Does something as a command that leaves files behind would. */
async function noted(work: () => Promise<unknown>, base?: string): Promise<void> {
  assert.equal((await runScript(workspace, noteBeforeScript, ['x'])).exitCode, 0);
  await work();
  const after = await runScript(workspace, noteAfterScript, ['x', ...(base === undefined ? [] : [base])]);
  assert.equal(after.exitCode, 0, after.stderr);
}
const leftOut = async (...args: string[]) =>
  (await runScript(workspace, listLeftOutScript, [fixture.base, ...args])).stdout
    .toString()
    .split('\n')
    .filter(Boolean)
    .toSorted();

test('new files of a noted command are listed apart from those that .gitignore names, and of a new folder all that comes', async () => {
  await mkdir(join(workspace, 'made before'));
  await write('made before/x', 'x');
  await noted(async () => {
    await mkdir(join(workspace, 'made before/cache'));
    await write('made before/cache/1', 'x');
    await write('odd\t"name', 'x');
    await write('a.txt', 'formatted\n');
    await mkdir(join(workspace, 'ignored'));
    await write('ignored/by command', 'x');
  });
  await write('made before/cache/2', 'x');
  await write('by a step', 'x');
  assert.deepEqual(await leftOut(), ['M made before/cache/1', 'M made before/cache/2', 'M odd\t"name']);
  assert.ok((await leftOut('J')).includes('J ignored/by command'));
  await mkdir(join(workspace, 'src/ignored'));
  await write('src/ignored/by a step', 'x');
  assert.ok((await leftOut()).includes('I src/ignored/by a step'));
});

test('chosen files are left out of the export, or are in it although .gitignore names them', async () => {
  await mkdir(join(workspace, 'ignored'));
  await write('ignored/a b', 'x');
  await write('cache', 'x');
  await write('kept', 'x');
  const path = join(fixture.folder, 'chosen');
  await writeFile(path, '-cache\n+ignored/a b\n');
  const result = await runScript(workspace, exportScript, [fixture.base], { inputFile: path });
  assert.equal(result.exitCode, 0, result.stderr);
  await writeFile(path, result.stdout);
  assert.deepEqual(
    (await fixture.quarantine(path)).files.map((file) => file.path),
    ['ignored/a b', 'kept'],
  );
});

test('a known file that setup changed stays as the base has it, until a step changes it', async () => {
  await noted(async () => {
    await write('a.txt', 'by setup\r\n');
    await rm(join(workspace, 'src/b.txt'));
  }, fixture.base);
  assert.equal((await runScript(workspace, exportScript, [fixture.base])).exitCode, nothingToExport);
  await write('a.txt', 'by a step\r\n');
  assert.deepEqual(await pathsOf(), ['modified a.txt']);
});
