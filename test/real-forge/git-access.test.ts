import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { GitRefusal } from '../../git/contract.ts';
import { createTrustedGit } from '../../git/trusted-git.ts';
import { startCi } from './ci-program.ts';
import { createGiteaFixture, type GiteaFixture } from './gitea-fixture.ts';
import { findMissingBuildTool } from './gitea-program.ts';

const skip = (await findMissingBuildTool()) !== undefined;
let gitea: GiteaFixture;
let gitPath = '';
let argvFile = '';
beforeAll(async () => {
  if (skip) return;
  gitea = await createGiteaFixture();
  argvFile = join(gitea.folder, 'argv');
  gitPath = join(gitea.folder, 'git');
  await writeFile(gitPath, `#!/bin/sh\necho "$@" >> ${argvFile}\nexec git "$@"\n`);
  await chmod(gitPath, 0o755);
});
afterAll(async () => {
  if (!skip) await gitea.close();
});

async function listen(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { server, url: `http://127.0.0.1:${address.port}` };
}

test(
  'a private repository is cloned, fetched and pushed with a token that is in no argument, file or address',
  { skip },
  async () => {
    const { forge, token, folder } = gitea;
    const cacheDir = join(folder, 'cache');
    const git = createTrustedGit({ cacheDir, gitPath });
    const repository = await forge.getRepository(gitea.repository);
    const access = await forge.gitAccess(repository);
    await git.ensureMirror(repository, access);
    const commit = await gitea.push('jig/pushed', 'pushed.txt', 'x\n');
    await git.ensureMirror(repository, access);
    await git.pushBranch({ repository, access, commit, branch: 'jig/mine', expected: undefined });
    assert.equal(await git.findRemoteHead(repository, access, 'jig/mine'), commit);

    const shapes = [
      token,
      ...Object.values(access.env).filter((value) => value.startsWith('Authorization')),
      Buffer.from(`ji:${token}`).toString('base64'),
    ];
    const files = (await readdir(cacheDir, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    assert.ok(files.some((file) => file.endsWith('.git/config')));
    for (const file of [argvFile, ...files]) {
      const bytes = await readFile(file);
      for (const shape of shapes) assert.ok(!bytes.includes(shape), file);
    }
    assert.match(await readFile(argvFile, 'utf8'), /push .*jig\/mine/);
  },
);

test('the error for a refused token does not contain the token', { skip }, async () => {
  const token = 'f'.repeat(40);
  const forge = gitea.connect({ token });
  const repository = await gitea.forge.getRepository(gitea.repository);
  const failure = await createTrustedGit({ cacheDir: join(gitea.folder, 'refused'), gitPath })
    .ensureMirror(repository, await forge.gitAccess(repository))
    .catch((error: unknown) => error);
  assert.ok(failure instanceof GitRefusal);
  assert.equal(failure.code, 'repository-unauthorized');
  assert.doesNotMatch(failure.message, new RegExp(`${token}|${Buffer.from(token).toString('base64').slice(4, 40)}`));
});

test('git sends the token only to the configured server, and never after a redirect', { skip }, async () => {
  const seen: string[] = [];
  const other = await listen((request, response) => {
    seen.push(`other ${request.headers.authorization ? 'with' : 'without'}`);
    response.writeHead(404).end();
  });
  const moving = await listen((request, response) => {
    seen.push(`own ${request.headers.authorization ? 'with' : 'without'}`);
    response.writeHead(302, { location: `${other.url}${request.url}` }).end();
  });
  try {
    const forge = gitea.connect({ url: moving.url });
    const repository = {
      ...(await gitea.forge.getRepository(gitea.repository)),
      cloneUrl: `${moving.url}/acme/API.git`,
    };
    const git = createTrustedGit({ cacheDir: join(gitea.folder, 'moving'), gitPath });
    await assert.rejects(git.ensureMirror(repository, await forge.gitAccess(repository)), { name: 'GitRefusal' });
    // The header is bound to one server, so another one gets none.
    await assert.rejects(
      git.findRemoteHead(
        { ...repository, cloneUrl: `${other.url}/acme/API.git` },
        await forge.gitAccess(repository),
        'main',
      ),
      { name: 'GitRefusal' },
    );
    assert.deepEqual([...new Set(seen)], ['own with', 'other without']);
  } finally {
    for (const { server } of [other, moving]) {
      server.closeAllConnections();
      server.close();
    }
  }
});

test('the CI of these tests accepts a push only with the server’s signature', { skip }, async () => {
  const ci = await startCi(gitea.server.url, gitea.acme);
  try {
    const body = JSON.stringify({
      ref: 'refs/heads/main',
      after: 'a'.repeat(40),
      repository: { full_name: 'acme/API' },
    });
    const signed = (secret: string) => createHmac('sha256', secret).update(body).digest('hex');
    for (const signature of ['', 'zz', signed('guessed'), signed('guessed').slice(0, 32)]) {
      assert.equal(
        (await fetch(ci.url, { method: 'POST', body, headers: { 'x-gitea-signature': signature } })).status,
        401,
        signature,
      );
    }
    assert.deepEqual(ci.checked, []);
  } finally {
    await ci.stop();
  }
});
