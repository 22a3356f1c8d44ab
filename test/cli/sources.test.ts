import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, test } from 'vitest';
import fc from 'fast-check';
import { execa } from 'execa';
import { nameOf } from '../../cli/repository.ts';
import { jig as runJig, type Said } from './jig.ts';

const env = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};

let folder: string;
let count = 0;
/** The folder of the test, with `api`: a repository with two commits on `main`, and `late`. */
let root: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jig-sources-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  root = join(folder, String(++count));
  const api = join(root, 'api');
  await mkdir(join(api, 'sub'), { recursive: true });
  await git(api, 'init', '-q', '-b', 'main');
  await git(api, 'config', 'uploadpack.allowFilter', 'true');
  for (const text of ['one', 'two']) {
    await writeFile(join(api, 'sub', 'a.txt'), text);
    await git(api, 'add', '-A');
    await git(api, 'commit', '-qm', text);
  }
  await git(api, 'branch', 'late');
});

async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await execa('git', args, { cwd, env })).stdout;
}
const jig = (...args: string[]): Promise<Said> =>
  runJig(args, { cwd: root, env: { ...env, JIG_DATA_DIR: join(root, 'data') } });

async function listed(): Promise<string[]> {
  const { stdout } = await jig('repo', 'list', '--json');
  const { repositories } = JSON.parse(stdout) as { repositories: { name: string; defaultBranch: string }[] };
  return repositories.map(({ name, defaultBranch }) => `${name} ${defaultBranch}`);
}

/** What can't be used: how the folder `odd` is made, what is given besides its path, and what is said. */
const refused: [what: string, make: () => Promise<unknown>, args: string[], code: string, said: RegExp][] = [
  [
    'a partial clone',
    () => git(root, 'clone', '-q', '--filter=blob:none', `file://${root}/api`, 'odd'),
    [],
    'source-unusable',
    /is a partial clone: it lacks files[^]*git -C \S+odd fetch --refetch --no-filter/,
  ],
  [
    'a repository with SHA-256 names',
    () => git(root, 'init', '-q', '--object-format=sha256', 'odd'),
    [],
    'source-unusable',
    /names its commits by sha256, which is not supported/,
  ],
  [
    'a detached HEAD',
    async () => {
      await git(root, 'clone', '-q', 'api', 'odd');
      await git(join(root, 'odd'), 'checkout', '-q', '--detach');
    },
    [],
    'branch-not-found',
    /has no branch checked out \(its HEAD is detached\)[^]*--branch main/,
  ],
  [
    'a detached HEAD without any branch',
    async () => {
      await git(root, 'clone', '-q', 'api', 'odd');
      await git(join(root, 'odd'), 'checkout', '-q', '--detach');
      await git(join(root, 'odd'), 'branch', '-qD', 'main');
    },
    [],
    'branch-not-found',
    /git switch -c NAME/,
  ],
  ['an empty repository', () => git(root, 'init', '-q', 'odd'), [], 'repository-empty', /odd has no commits/],
  ['an empty bare repository', () => git(root, 'init', '-q', '--bare', 'odd'), [], 'repository-empty', /no commits/],
  [
    'a new branch without commits',
    async () => {
      await git(root, 'clone', '-q', 'api', 'odd');
      await git(join(root, 'odd'), 'checkout', '-q', '--orphan', 'fresh');
    },
    [],
    'branch-not-found',
    /fresh is checked out in \S+odd, and has no commits[^]*--branch main/,
  ],
  [
    'a misspelt branch',
    () => git(root, 'clone', '-q', 'api', 'odd'),
    ['--branch', 'mian'],
    'branch-not-found',
    /odd has no branch mian[^]*Did you mean --branch main\?/,
  ],
  [
    'a missing branch',
    () => git(root, 'clone', '-q', 'api', 'odd'),
    ['--branch', 'nothing-like-it'],
    'branch-not-found',
    /has no branch nothing-like-it[^]*Name a branch that it has: --branch main/,
  ],
  [
    'a branch that only a remote has',
    () => git(root, 'clone', '-q', 'api', 'odd'),
    ['--branch', 'late'],
    'branch-not-found',
    /only on a remote[^]*git branch late origin\/late/,
  ],
  [
    'a tag that is named as a branch',
    async () => {
      await git(root, 'clone', '-q', 'api', 'odd');
      await git(join(root, 'odd'), 'tag', 'v1');
    },
    ['--branch', 'v1'],
    'branch-not-found',
    /It is a tag[^]*git branch NAME refs\/tags\/v1/,
  ],
  [
    'a folder without a repository',
    () => mkdir(join(root, 'odd')),
    [],
    'not-a-repository',
    /is not a git repository\n/,
  ],
  [
    'a worktree whose repository is gone',
    async () => {
      await git(root, 'clone', '-q', 'api', 'gone');
      await git(join(root, 'gone'), 'worktree', 'add', '-q', '../odd', '-b', 'x');
      await rm(join(root, 'gone'), { recursive: true });
    },
    [],
    'not-a-repository',
    /odd is not a git repository: not a git repository: \S*gone/,
  ],
  [
    'a repository of a newer format',
    async () => {
      await git(root, 'init', '-q', 'odd');
      await git(join(root, 'odd'), 'config', 'core.repositoryFormatVersion', '99');
    },
    [],
    'source-unusable',
    /Git can't read the repository \S+odd: .*version/i,
  ],
  [
    'a repository that lacks objects',
    async () => {
      await git(root, 'clone', '-q', '--no-local', 'api', 'odd');
      await rm(join(root, 'odd', '.git', 'objects', 'pack'), { recursive: true });
    },
    [],
    'source-unusable',
    /odd\S* can't be imported/,
  ],
];

test.for(refused)('%s is refused in words, and nothing is added', async ([, make, args, code, said]) => {
  await make();
  const { exitCode, stderr, stdout } = await jig('repo', 'add', 'odd', ...args);
  assert.equal(exitCode, 2, stderr);
  assert.ok(stderr.includes(`error[${code}]`), stderr);
  assert.match(stderr, said);
  assert.doesNotMatch(stderr, /git init[^]*sha256|possible repository corruption/);
  assert.equal(stdout, '');
  assert.deepEqual(await listed(), []);
});

test('a partial clone that was completed as the message says is imported', async () => {
  await git(root, 'clone', '-q', '--filter=blob:none', `file://${root}/api`, 'odd');
  await git(join(root, 'odd'), 'fetch', '-q', '--refetch', '--no-filter');
  assert.equal((await jig('repo', 'add', 'odd')).exitCode, 0);
});

const accepted: [what: string, make: () => Promise<unknown>, args: string[], listed: string, note: RegExp][] = [
  ['a folder of a repository', async () => undefined, ['api/sub'], 'local/api main', /sub is a part of \S+api;/],
  ['its git folder', async () => undefined, ['api/.git'], 'local/api main', /^$/],
  [
    'a worktree',
    () => git(join(root, 'api'), 'worktree', 'add', '-q', '../tree', '-b', 'x'),
    ['tree'],
    'local/tree main',
    /^$/,
  ],
  [
    'a bare repository',
    () => git(root, 'clone', '-q', '--bare', 'api', 'bare.git'),
    ['bare.git'],
    'local/bare main',
    /^$/,
  ],
  [
    'a shallow clone',
    () => git(root, 'clone', '-q', '--depth', '1', `file://${root}/api`, 'cut'),
    ['cut'],
    'local/cut main',
    /^$/,
  ],
  [
    'a detached HEAD with --branch',
    () => git(join(root, 'api'), 'checkout', '-q', '--detach'),
    ['api', '--branch', 'late'],
    'local/api late',
    /^$/,
  ],
  [
    'a clone that shares objects',
    () => git(root, 'clone', '-q', '--shared', 'api', 'shared'),
    ['shared'],
    'local/shared main',
    /^$/,
  ],
  [
    'a repository with a file named HEAD',
    () => writeFile(join(root, 'api', 'HEAD'), ''),
    ['api'],
    'local/api main',
    /api has uncommitted changes \(1 file\); a run sees only commits/,
  ],
];

test.for(accepted)('%s is imported as its repository', async ([, make, args, name, note]) => {
  await make();
  const { exitCode, stderr } = await jig('repo', 'add', ...args);
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, note);
  assert.deepEqual(await listed(), [name]);
});

test('a repository is found from its path alone, also where a hook of another one calls', async () => {
  const env = { GIT_DIR: join(root, 'nowhere'), JIG_DATA_DIR: join(root, 'data') };
  const { exitCode, stderr } = await runJig(['repo', 'add', 'api'], { cwd: root, env });
  assert.equal(exitCode, 0, stderr);
});

test('a repository of another user is imported once the user’s own git may read it', async () => {
  const config = join(root, 'config');
  const env = { GIT_TEST_ASSUME_DIFFERENT_OWNER: '1', GIT_CONFIG_GLOBAL: config, JIG_DATA_DIR: join(root, 'data') };
  const refused = await runJig(['repo', 'add', 'api'], { cwd: root, env });
  assert.equal(refused.exitCode, 2);
  const [, path = ''] =
    /belongs to another user[^]*git config --global --add safe\.directory (\S+)/.exec(refused.stderr) ?? [];
  await git(root, 'config', '--file', config, '--add', 'safe.directory', path);
  const { exitCode, stderr } = await runJig(['repo', 'add', 'api'], { cwd: root, env });
  assert.equal(exitCode, 0, stderr);
});

test('changed, new and staged files are mentioned in one line, and are no error', async () => {
  const api = join(root, 'api');
  await writeFile(join(api, 'sub', 'a.txt'), 'changed');
  await writeFile(join(api, 'new.txt'), 'new');
  await writeFile(join(api, 'staged.txt'), 'staged');
  await git(api, 'add', 'staged.txt');
  const { exitCode, stderr } = await jig('repo', 'add', 'api');
  assert.equal(exitCode, 0);
  assert.match(stderr, /^note: \S+api has uncommitted changes \(3 files\); a run sees only commits$/m);
  await git(api, 'stash', '-q', '-u');
  assert.equal((await jig('repo', 'add', 'api')).stderr, '');
});

test('a branch that the forge’s repository lacks is refused before anything starts', async () => {
  await jig('repo', 'add', 'api');
  const { exitCode, stderr } = await jig('repo', 'add', 'local/api', '--branch', 'mian');
  assert.equal(exitCode, 2);
  assert.match(
    stderr,
    /error\[branch-not-found\]: The local forge's local\/api has no branch mian[^]*Did you mean main\?/,
  );
});

test('a rewritten history is followed, a repository of another folder is not, and update and remove say what they did', async () => {
  await jig('repo', 'add', 'api');
  await git(join(root, 'api'), 'commit', '-q', '--amend', '-m', 'Better');
  assert.match((await jig('repo', 'update', 'local/api')).stdout, /^late {2}unchanged\nmain {2}updated$/);
  await mkdir(join(root, 'other'));
  await git(root, 'clone', '-q', 'api', 'other/api');
  await git(join(root, 'other', 'api'), 'commit', '-q', '--amend', '-m', 'Other');
  const refused = await jig('repo', 'add', 'other/api');
  assert.equal(refused.exitCode, 2);
  assert.match(
    refused.stderr,
    /error\[repository-unrelated\][^]*was imported from \S+\/\d+\/api, and[^]*jig repo update local\/api --from \S+other\/api$/m,
  );
  const moved = await jig('repo', 'update', 'local/api', '--from', 'other/api', '--json');
  assert.deepEqual(JSON.parse(moved.stdout), {
    repository: 'local/api',
    branches: [
      { branch: 'late', result: 'removed' },
      { branch: 'main', result: 'updated' },
    ],
  });
  await rm(join(root, 'other'), { recursive: true });
  assert.match((await jig('repo', 'update', 'local/api')).stderr, /error\[source-unusable\][^]*--from PATH/);
  assert.deepEqual(JSON.parse((await jig('repo', 'remove', 'local/api', '--json')).stdout), { removed: 'local/api' });
  assert.deepEqual(await listed(), []);
  for (const command of ['remove', 'update']) assert.equal((await jig('repo', command, 'local/api')).exitCode, 2);
  assert.deepEqual(await readdir(join(root, 'data', 'forge', 'repositories', 'local')), []);
});

test('folders get names that a forge accepts, and different ones if they differ in letters that it doesn’t', () => {
  assert.equal(nameOf('/x/api'), 'api');
  assert.equal(nameOf('/x/api.git'), 'api');
  assert.equal(nameOf('/x/my api'), 'my-api');
  const letters = fc.string({ unit: fc.constantFrom('п', 'р', 'ö', 'ü', '日', '本', 'a', '-', '.'), minLength: 1 });
  const other = fc.string({ unit: fc.constantFrom('п', 'ö', '本'), minLength: 1 });
  fc.assert(
    fc.property(letters, other, other, (same, one, two) => {
      const [first, second] = [nameOf(`/x/${same}${one}`), nameOf(`/x/${same}${two}`)];
      assert.match(first, /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$/);
      assert.equal(first === second, one === two, `${first} ${second}`);
    }),
  );
  assert.notEqual(nameOf(`/x/${'a'.repeat(200)}`), nameOf(`/x/${'a'.repeat(201)}`));
  assert.ok(basename(nameOf('/')).length > 0);
});
