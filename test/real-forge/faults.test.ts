import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { createTrustedGit } from '../../git/trusted-git.ts';
import { startFaultyProxy, type Fault, type FaultyProxy } from './faulty-proxy.ts';
import { createGiteaFixture, type GiteaFixture } from './gitea-fixture.ts';
import { findMissingBuildTool } from './gitea-program.ts';

const skip = (await findMissingBuildTool()) !== undefined;
let gitea: GiteaFixture;
let proxy: FaultyProxy;
beforeAll(async () => {
  if (skip) return;
  gitea = await createGiteaFixture();
  proxy = await startFaultyProxy(gitea.server.url);
});
afterAll(async () => {
  if (skip) return;
  await proxy.stop();
  await gitea.close();
});

const openOn = async (branch: string) =>
  (await gitea.forge.listChanges(gitea.repository, { state: 'open' })).filter((change) => change.branch === branch);
let caches = 0;
const mirrors = () => createTrustedGit({ cacheDir: join(gitea.folder, `cache-${++caches}`) });

test(
  'if the server does not treat a change as a draft, the error names the setting to correct, and then the same change is found',
  { skip },
  async () => {
    const wanted = { ...(await gitea.pushWanted()), draft: true };
    await assert.rejects(gitea.connect({ draftPrefix: 'Draft: ' }).ensureChange(wanted), {
      code: 'forge-refused',
      message: /its title begins with "Draft: ": set forges\.gitea\.draftPrefix/,
      retryable: false,
    });
    const [opened] = await openOn(wanted.branch);
    const mended = await gitea.forge.ensureChange(wanted);
    assert.deepEqual([mended.number, mended.draft, mended.title], [opened?.number, true, 'A title']);
  },
);

test('a repository that is archived, empty, renamed, gone or hidden gives its own typed result', { skip }, async () => {
  const { forge, acme, server } = gitea;
  await gitea.addRepository('acme/archived', { 'a.txt': 'a\n' });
  await acme.api.repos.repoEdit('acme', 'archived', { archived: true });
  const archived = await forge.getRepository('acme/archived');
  assert.equal(archived.archived, true);
  await assert.rejects(mirrors().ensureMirror(archived, await forge.gitAccess(archived)), {
    code: 'repository-archived',
  });
  await assert.rejects(forge.ensureChange({ ...(await gitea.pushWanted()), repository: 'acme/archived' }), {
    code: 'forge-refused',
    message: /archived/,
  });

  await acme.api.user.createCurrentUserRepo({ name: 'empty', private: true });
  await acme.api.repos.repoAddCollaborator('acme', 'empty', 'jig-bot', { permission: 'write' });
  const empty = await forge.getRepository('acme/empty');
  assert.equal(empty.empty, true);
  await assert.rejects(mirrors().ensureMirror(empty, await forge.gitAccess(empty)), { code: 'repository-empty' });

  await gitea.addRepository('acme/before', { 'a.txt': 'a\n' });
  await acme.api.repos.repoEdit('acme', 'before', { name: 'later' });
  await assert.rejects(forge.getRepository('acme/before'), {
    code: 'forge-moved',
    message: 'acme/before is now called acme/later on gitea.',
    retryable: false,
  });
  await assert.rejects(forge.ensureChange({ ...(await gitea.pushWanted()), repository: 'acme/before' }), {
    code: 'forge-moved',
  });

  await acme.api.user.createCurrentUserRepo({ name: 'hidden', private: true, auto_init: true });
  const stranger = await server.createUser('stranger');
  for (const [name, token] of [
    ['acme/nothing', gitea.token],
    ['nobody/nothing', gitea.token],
    ['acme/hidden', gitea.token],
    ['acme/API', await stranger.createToken(['read:repository'])],
  ] as const) {
    await assert.rejects(
      gitea.connect({ token }).getRepository(name),
      { code: 'forge-not-found', message: /or the token may not see it/ },
      name,
    );
  }
  for (const name of ['../..', 'acme/..', './API', 'acme', 'acme/API/x', 'acme/A PI', 'acme/API?x'])
    await assert.rejects(forge.getRepository(name), { code: 'forge-not-found' }, name);
});

test(
  'a name in another case is the same repository under its own name, and its default branch is its own',
  { skip },
  async () => {
    await gitea.acme.api.repos.repoCreateBranch('acme', 'API', {
      new_branch_name: 'release/1.0',
      old_branch_name: 'main',
    });
    const found = await gitea.forge.getRepository('ACME/api');
    assert.deepEqual(
      [found.name, found.defaultBranch, found.cloneUrl],
      ['acme/API', 'main', `${gitea.server.url}/acme/API.git`],
    );
    const wanted = { ...(await gitea.pushWanted()), base: 'release/1.0' };
    const { number, base } = await gitea.forge.ensureChange(wanted);
    assert.equal(base, 'release/1.0');
    assert.equal((await gitea.forge.ensureChange(wanted)).number, number);
  },
);

test('whatever breaks while a change is opened, trying again leads to one change', { skip }, async () => {
  const forge = gitea.connect({ url: proxy.url });
  const create = /^POST .*\/pulls$/;
  const faults: [Fault, RegExp][] = [
    [{ kind: 'answer-lost' }, create],
    [{ kind: 'answer-cut' }, create],
    [{ kind: 'json-cut' }, create],
    [{ kind: 'status', status: 500 }, create],
    [{ kind: 'status', status: 409 }, create],
    [{ kind: 'status', status: 422 }, create],
    [{ kind: 'status', status: 429, headers: { 'retry-after': '1' } }, create],
    [{ kind: 'json-cut' }, /^GET .*\/pulls\?/],
    [{ kind: 'answer-lost' }, /^GET .*\/pulls\//],
  ];
  for (const [fault, pattern] of faults) {
    const wanted = await gitea.pushWanted();
    proxy.breakNext(pattern, fault);
    await forge.ensureChange(wanted).catch(() => undefined);
    const change = await forge.ensureChange(wanted);
    assert.deepEqual(
      (await openOn(wanted.branch)).map(({ number }) => number),
      [change.number],
      JSON.stringify(fault),
    );
  }
});

test('a change whose answer was lost is found when the same call looks again', { skip }, async () => {
  const wanted = await gitea.pushWanted();
  proxy.breakNext(/^POST .*\/pulls$/, { kind: 'answer-lost' });
  const { number } = await gitea.connect({ url: proxy.url }).ensureChange(wanted);
  assert.deepEqual(
    (await openOn(wanted.branch)).map((change) => change.number),
    [number],
  );
});

test('a process that is killed after the server opened its change leaves one change', { skip }, async () => {
  const wanted = await gitea.pushWanted();
  proxy.breakNext(/^POST .*\/pulls$/, { kind: 'answer-held' });
  const program = `
    import { createGiteaForge } from ${JSON.stringify(new URL('../../forge/gitea/gitea-forge.ts', import.meta.url).href)};
    const [url, wanted] = process.argv.slice(1);
    await createGiteaForge({ name: 'gitea', url, token: async () => process.env.TOKEN }).ensureChange(JSON.parse(wanted));`;
  const killed = execa(
    process.execPath,
    ['--input-type=module', '--eval', program, proxy.url, JSON.stringify(wanted)],
    { env: { TOKEN: gitea.token }, reject: false },
  );
  const deadlineMs = Date.now() + 30_000;
  while ((await openOn(wanted.branch)).length === 0 && Date.now() < deadlineMs) await delay(50);
  killed.kill('SIGKILL');
  assert.equal((await killed).signal, 'SIGKILL');
  const { number } = await gitea.forge.ensureChange(wanted);
  assert.deepEqual(
    (await openOn(wanted.branch)).map((change) => change.number),
    [number],
  );
});

test('a rate limit says when to try again, and an expired token is not retried', { skip }, async () => {
  const forge = gitea.connect({ url: proxy.url });
  proxy.breakNext(/^GET/, { kind: 'status', status: 429, headers: { 'retry-after': '7' } });
  await assert.rejects(forge.getRepository(gitea.repository), {
    code: 'forge-unavailable',
    retryable: true,
    retryAfterMs: 7000,
  });
  await assert.rejects(gitea.connect({ token: 'f'.repeat(40) }).getRepository(gitea.repository), {
    code: 'forge-unauthorized',
    retryable: false,
  });
});

test('processes that open a change at the same moment leave one open', { skip }, async () => {
  const wanted = await gitea.pushWanted();
  const processes = Array.from({ length: 6 }, () => gitea.connect());
  const made = await Promise.all(processes.map((forge) => forge.ensureChange(wanted)));
  const open = await openOn(wanted.branch);
  assert.equal(open.length, 1);
  assert.equal((await gitea.forge.ensureChange(wanted)).number, open[0]?.number);
  assert.ok(made.some(({ number }) => number === open[0]?.number));
  await Promise.all(
    processes.map((forge) =>
      forge.ensureComment({
        repository: gitea.repository,
        number: open[0]?.number ?? 0,
        marker: 'once',
        body: 'Said by all of them.',
      }),
    ),
  );
  assert.equal(await gitea.countComments(open[0]?.number ?? 0, 'Said by all of them.'), 1);
});

test('each scope of the token is needed, and the error names a missing one', { skip }, async () => {
  const wanted = { ...(await gitea.pushWanted()), labels: ['scoped'] };
  const { number } = await gitea.forge.ensureChange(wanted);
  const with_ = async (...scopes: string[]) => gitea.connect({ token: await gitea.bot.createToken(scopes) });
  const unauthorized = { code: 'forge-unauthorized', message: /scope/ };
  await assert.rejects((await with_('read:user', 'write:issue')).getRepository(gitea.repository), unauthorized);
  const reading = await with_('read:user', 'write:issue', 'read:repository');
  await assert.rejects(reading.ensureChange(await gitea.pushWanted()), unauthorized);
  const withoutIssues = await with_('read:user', 'write:repository');
  await assert.rejects(withoutIssues.ensureChange({ ...(await gitea.pushWanted()), labels: ['scoped'] }), unauthorized);
  const comment = { repository: gitea.repository, number, marker: 'scope', body: 'Said.' };
  await assert.rejects(withoutIssues.ensureComment(comment), unauthorized);
  await assert.rejects((await with_('write:issue', 'write:repository')).ensureComment(comment), unauthorized);
});

test('the latest status of each context counts, whatever its state was before', { skip }, async () => {
  const commit = await gitea.push('jig/statuses', 'statuses.txt', 'x\n');
  const post = (context: string, state: 'pending' | 'success' | 'error' | 'failure' | 'warning', description = '') =>
    gitea.acme.api.repos.repoCreateStatus('acme', 'API', commit, {
      context,
      state,
      description,
      target_url: 'https://ci.example/1',
    });
  for (const state of ['pending', 'failure', 'success'] as const) await post('a', state);
  await post('b', 'pending');
  await post('c', 'warning', 'é'.repeat(200));
  await post('d', 'error');
  for (let index = 0; index < 60; index += 1) await post('e', index % 2 ? 'failure' : 'success');
  const checks = await gitea.forge.listChecks(gitea.repository, commit, 'main');
  assert.deepEqual(
    checks.map(({ name, state }) => `${name} ${state}`),
    ['a passed', 'b running', 'c failed', 'd errored', 'e failed'],
  );
  assert.deepEqual([checks[2]?.url, checks[2]?.logExcerpt], ['https://ci.example/1', 'é'.repeat(200)]);
  await gitea.acme.api.repos.repoCreateBranchProtection('acme', 'API', {
    rule_name: 'main',
    enable_status_check: true,
    status_check_contexts: ['a', 'lint', 'test/*'],
  });
  const required = await gitea.forge.listChecks(gitea.repository, commit, 'main');
  assert.deepEqual(
    required.filter(({ state }) => state === 'queued').map(({ name }) => name),
    ['lint', 'test/*'],
  );
  await post('test/unit', 'success');
  assert.deepEqual(
    (await gitea.forge.listChecks(gitea.repository, commit, 'main'))
      .filter(({ state }) => state === 'queued')
      .map(({ name }) => name),
    ['lint'],
  );
});
