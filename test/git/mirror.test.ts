import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { withLock } from '../../base/lock.ts';
import { checkoutScript, exportScript } from '../../git/sandbox-scripts.ts';
import { access, checkoutArguments, createFixture, policy, runScript, type Fixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.close());

const repositoryAt = (cloneUrl: string) => ({
  forge: 'local',
  name: `acme/${cloneUrl.length}-${cloneUrl.slice(-8).replaceAll('/', '_')}`,
  cloneUrl,
});

test('a mirror is cloned once and follows the branches of its repository afterwards', async () => {
  const { trusted, repository, base, git, origin } = fixture;
  await trusted.ensureMirror(repository, access);
  assert.deepEqual(await trusted.resolveBase(repository), { branch: 'trunk', commit: base });
  await git(['commit', '-q', '--allow-empty', '-m', 'Second']);
  await git(['push', '-q', origin, 'trunk', 'trunk:other']);
  await trusted.ensureMirror(repository, access);
  const head = await git(['rev-parse', 'trunk']);
  assert.deepEqual(await trusted.resolveBase(repository, 'other'), { branch: 'other', commit: head });
  await git(['push', '-q', origin, ':other']);
  await trusted.ensureMirror(repository, access);
  await assert.rejects(trusted.resolveBase(repository, 'other'), { name: 'GitRefusal', code: 'branch-not-found' });
  await assert.rejects(trusted.resolveBase(repository, '--all'), { code: 'branch-not-found' });
});

test('a first clone keeps the pack that it received, so that large files are not compressed again for each checkout', async () => {
  const { trusted, repository, cacheDir } = fixture;
  const first = { ...repository, name: 'acme/first' };
  await trusted.ensureMirror(first, access);
  const mirror = (await readdir(join(cacheDir, 'mirrors'))).find((name) => name.startsWith('acme__first')) ?? '';
  assert.deepEqual((await readdir(join(cacheDir, 'mirrors', mirror, 'objects'))).toSorted(), ['info', 'pack']);
});

test('several processes may ask for the same mirror at once', async () => {
  const { repository, cacheDir } = fixture;
  const program = `
    import { createTrustedGit } from ${JSON.stringify(new URL('../../git/trusted-git.ts', import.meta.url).href)};
    const git = createTrustedGit({ cacheDir: process.argv[1] });
    const repository = JSON.parse(process.argv[2]);
    await Promise.all([1, 2, 3].map(() => git.ensureMirror(repository, { env: {} })));
    console.log((await git.resolveBase(repository)).commit);`;
  const args = ['--input-type=module', '--eval', program, `${cacheDir}-shared`, JSON.stringify(repository)];
  const heads = await Promise.all([1, 2, 3].map(async () => (await execa(process.execPath, args)).stdout));
  assert.equal(new Set(heads).size, 1);
});

test('the lock of a dead process is broken, and the lock files of its git are removed', async () => {
  const { trusted, repository, cacheDir } = fixture;
  await trusted.ensureMirror(repository, access);
  const mirrors = join(cacheDir, 'mirrors');
  const mirror = (await readdir(mirrors)).find((name) => name.endsWith('.git')) ?? '';
  const lock = new URL('../../base/lock.ts', import.meta.url).href;
  await execa(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { withLock } from ${JSON.stringify(lock)}; await withLock(process.argv[1], async () => process.exit(0));`,
    join(mirrors, `${mirror}.lock`),
  ]);
  assert.ok((await readdir(mirrors)).includes(`${mirror}.lock`));
  await writeFile(join(mirrors, mirror, 'refs', 'heads', 'trunk.lock'), '');
  await writeFile(join(mirrors, mirror, 'HEAD.lock'), '');
  await fixture.git(['commit', '-q', '--allow-empty', '-m', 'Third']);
  await fixture.git(['push', '-q', fixture.origin, 'trunk']);
  await trusted.ensureMirror(repository, access);
  assert.equal((await trusted.resolveBase(repository)).commit, await fixture.git(['rev-parse', 'trunk']));
});

test('a lock is held by one at a time, and a caller that gives up leaves no trace', async () => {
  const path = join(fixture.folder, 'locks', 'a.lock');
  let inside = 0;
  const order = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      withLock(path, async () => {
        assert.equal(++inside, 1);
        await new Promise(setImmediate);
        inside--;
        return index;
      }),
    ),
  );
  assert.equal(order.length, 12);
  await withLock(path, async () => {
    await assert.rejects(
      withLock(path, async () => undefined, AbortSignal.timeout(20)),
      { name: 'AbortError' },
    );
  });
  assert.deepEqual(await readdir(join(fixture.folder, 'locks')), []);
});

test('an empty, a missing, an unreachable, a refusing and an archived repository each have their own error', async () => {
  const { trusted, folder } = fixture;
  await execa('git', ['init', '-q', '--bare', join(folder, 'empty.git')]);
  const server = createServer((_, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end());
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const cases: [string, string, boolean][] = [
    [join(folder, 'empty.git'), 'repository-empty', false],
    [join(folder, 'missing.git'), 'repository-not-found', false],
    [`http://127.0.0.1:${address.port}/acme/private.git`, 'repository-unauthorized', false],
    ['http://127.0.0.1:1/acme/api.git', 'repository-unreachable', true],
  ];
  for (const [cloneUrl, code, retryable] of cases) {
    await assert.rejects(
      trusted.ensureMirror(repositoryAt(cloneUrl), access),
      { name: 'GitRefusal', code, retryable },
      cloneUrl,
    );
  }
  server.close();
  await assert.rejects(trusted.ensureMirror({ ...fixture.repository, archived: true }, access), {
    code: 'repository-archived',
  });
});

test('a default branch of any name is found; with a detached HEAD, a branch must be named', async () => {
  const { trusted, git, folder, base } = fixture;
  const detached = join(folder, 'detached.git');
  await git(['clone', '-q', '--bare', '--branch', 'trunk', fixture.origin, detached]);
  await git(['--git-dir', detached, 'update-ref', '--no-deref', 'HEAD', base]);
  const repository = repositoryAt(detached);
  await trusted.ensureMirror(repository, access);
  await assert.rejects(trusted.resolveBase(repository), { code: 'branch-not-found' });
  assert.equal((await trusted.resolveBase(repository, 'trunk')).branch, 'trunk');
});

test('a shallow repository is mirrored as far as it goes, checked out, exported and pushed', async () => {
  const { trusted, git, folder } = fixture;
  await git(['commit', '-q', '--allow-empty', '-m', 'One more']);
  const shallow = join(folder, 'shallow.git');
  await git(['clone', '-q', '--bare', '--depth', '1', `file://${fixture.source}`, shallow]);
  const repository = repositoryAt(shallow);
  await trusted.ensureMirror(repository, access);
  const { commit: base } = await trusted.resolveBase(repository);
  assert.equal(base, await git(['rev-parse', 'HEAD']));
  const workspace = join(folder, 'shallow-workspace');
  const checkout = await runScript(workspace, checkoutScript, checkoutArguments(base), {
    inputFile: (await trusted.createCheckoutBundle(repository, base)).path,
  });
  assert.equal(checkout.exitCode, 0, checkout.stderr);
  await writeFile(join(workspace, 'new.txt'), 'new\n');
  const exported = await runScript(workspace, exportScript, [base]);
  assert.equal(exported.exitCode, 0, exported.stderr);
  const bundlePath = join(folder, 'shallow.bundle');
  await writeFile(bundlePath, exported.stdout);
  const { commit } = await trusted.quarantine({
    repository,
    base,
    bundlePath,
    policy,
    message: 'm',
    author: { name: 'J', email: 'j@example.com' },
    date: '2026-01-01T00:00:00Z',
    key: 'k',
  });
  assert.ok(commit);
  await trusted.pushBranch({ repository, access, commit, branch: 'jig/x', expected: undefined });
  assert.equal(await trusted.findRemoteHead(repository, access, 'jig/x'), commit);
});

test('a commit that is not in the mirror, or was lost with the cache, is commit-missing', async () => {
  const { trusted, repository, base } = fixture;
  const missing = { name: 'GitRefusal', code: 'commit-missing' };
  await trusted.ensureMirror(repository, access);
  await assert.rejects(trusted.createCheckoutBundle(repository, '1'.repeat(40)), missing);
  await assert.rejects(trusted.createDiff(repository, base, '1'.repeat(40)), missing);
  await assert.rejects(
    trusted.pushBranch({ repository, access, commit: '1'.repeat(40), branch: 'jig/x', expected: undefined }),
    missing,
  );
  await assert.rejects(trusted.createCheckoutBundle({ ...repository, name: 'acme/never-mirrored' }, base), missing);
});

test('addresses that would make git start a program are refused', async () => {
  for (const cloneUrl of [
    'ext::sh -c touch% /tmp/x',
    '--upload-pack=x',
    'fd::17',
    'https://-oProxyCommand=x/y',
    'relative/path',
    'git://example.com/x',
  ]) {
    await assert.rejects(
      fixture.trusted.ensureMirror(repositoryAt(cloneUrl), access),
      { code: 'repository-unreachable', retryable: false },
      cloneUrl,
    );
  }
});

test('credentials reach the forge through the environment, and are in no file and no message', async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(500).end(`no luck with ${request.headers.authorization}`);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const secret = 'Authorization: Bearer c2VjcmV0LXRva2Vu';
  const env = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'http.extraHeader', GIT_CONFIG_VALUE_0: secret };
  const repository = repositoryAt(`http://127.0.0.1:${address.port}/acme/api.git`);
  const failure = await fixture.trusted.ensureMirror(repository, { env }).then(
    () => assert.fail('it was to fail'),
    (error: unknown) => String(error),
  );
  server.close();
  assert.deepEqual(new Set(seen), new Set(['Bearer c2VjcmV0LXRva2Vu']));
  assert.doesNotMatch(failure, /c2VjcmV0/);
  assert.equal((await execa('grep', ['-r', 'c2VjcmV0', fixture.cacheDir], { reject: false })).stdout, '');
});
