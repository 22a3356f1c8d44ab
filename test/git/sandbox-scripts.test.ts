import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, test } from 'vitest';
import { checkoutScript, exportScript, nothingToExport } from '../../git/sandbox-scripts.ts';
import { access, checkoutArguments, createFixture, runScript, type Fixture } from './fixture.ts';

let fixture: Fixture;
let workspace: string;
let bundle: string;
beforeAll(async () => {
  fixture = await createFixture({
    'a.txt': 'one\r\ntwo\n',
    'src/b.txt': 'b\n',
    '.gitignore': 'ignored/\n',
    '.gitattributes': '* text=auto\n*.txt eol=crlf filter=lfs\n',
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
const write = (path: string, content: string) => writeFile(join(workspace, path), content);
const exported = async () => {
  const result = await runScript(workspace, exportScript, [fixture.base]);
  assert.equal(result.exitCode, 0, result.stderr);
  const path = join(fixture.folder, 'exported.bundle');
  await writeFile(path, result.stdout);
  return fixture.quarantine(path);
};
const pathsOf = async () => (await exported()).files.map(({ path, status }) => `${status} ${path}`);

test('a checkout is the commit, byte for byte, on a branch and with an identity', async () => {
  assert.equal(await git('rev-parse', 'HEAD'), fixture.base);
  assert.equal(await git('symbolic-ref', '--short', 'HEAD'), 'jig/work');
  assert.equal(await git('config', 'user.email'), 'jig@example.com');
  assert.equal(await git('status', '--porcelain', '--ignored'), '');
  assert.equal(await readFile(join(workspace, 'a.txt'), 'utf8'), 'one\ntwo\n');
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
  await write('a.txt', 'one\r\ntwo\n');
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
  ['an exclude file that hides the change', () => write('.git/info/exclude', '*\n')],
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
