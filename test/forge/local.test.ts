import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { createLocalForge } from '../../forge/local/local-forge.ts';
import { forgeContract } from './contract.ts';
import { createLocalFixture } from './local-fixture.ts';

forgeContract('a folder of bare repositories', createLocalFixture);

let fixture: Awaited<ReturnType<typeof createLocalFixture>>;
beforeAll(async () => {
  fixture = await createLocalFixture();
});
afterAll(() => fixture.close());

const { repository } = { repository: 'acme/api' };
let opened = 0;
async function open(path = `file-${++opened}.txt`, content = `${opened}\n`) {
  const branch = `jig/local-${++opened}`;
  await fixture.push(branch, path, content);
  return fixture.forge.ensureChange({
    repository,
    branch,
    base: 'trunk',
    marker: branch,
    title: `Change ${path}`,
    body: 'Why.',
    draft: false,
    labels: [],
  });
}
const headOf = async (branch: string) =>
  (await execa('git', ['rev-parse', branch], { cwd: (await fixture.forge.getRepository(repository)).cloneUrl })).stdout;

test('authors can’t approve their own changes, and a merge needs an approval of the present commit', async () => {
  const { forge } = fixture;
  const { number, branch } = await open();
  await assert.rejects(forge.approve(repository, number, 'jig'), { code: 'forge-refused' });
  await assert.rejects(forge.merge(repository, number, 'ada'), { code: 'forge-refused' });
  await forge.approve(repository, number, 'ada');
  await fixture.push(branch, 'later.txt', 'pushed after the approval\n');
  await assert.rejects(forge.merge(repository, number, 'ada'), { code: 'forge-refused' });
  assert.equal((await forge.merge(repository, number, 'ada', { unapproved: true })).state, 'merged');
});

test('a change whose base has not moved is merged as a fast-forward, any other by a merge commit', async () => {
  const { forge } = fixture;
  const first = await open();
  const second = await open();
  await fixture.merge(first.number);
  assert.equal(await headOf('trunk'), first.headCommit);
  await fixture.merge(second.number);
  const parents = (
    await execa('git', ['show', '-s', '--format=%P', 'trunk'], {
      cwd: (await forge.getRepository(repository)).cloneUrl,
    })
  ).stdout;
  assert.equal(parents, `${first.headCommit} ${second.headCommit}`);
  assert.match(await forge.getDiff(repository, second.number), /^diff --git a\/file-/);
});

test('changes to the same lines conflict, and the base stays as it was', async () => {
  const [first, second] = [await open('readme.txt', 'ONE\ntwo\nthree\n'), await open('readme.txt', '1\ntwo\nthree\n')];
  await fixture.merge(first.number);
  const trunk = await headOf('trunk');
  await assert.rejects(fixture.merge(second.number), { code: 'forge-conflict', message: /readme\.txt/ });
  assert.equal(await headOf('trunk'), trunk);
  assert.equal((await fixture.forge.findChange(repository, { number: second.number }))?.state, 'open');
});

test('an import keeps the pack that it received, so that large files are not compressed again for each mirror', async () => {
  const forge = createLocalForge({ rootDir: `${fixture.rootDir}-pack` });
  const { cloneUrl } = await forge.ensureRepository({ name: 'acme/pack', source: fixture.source, branch: 'trunk' });
  assert.deepEqual((await readdir(join(cloneUrl, 'objects'))).toSorted(), ['info', 'pack']);
});

test('names that would leave the folder are refused', async () => {
  for (const name of ['../..', 'acme/..', './api', 'acme', 'acme/api/x', 'acme/a\n']) {
    await assert.rejects(fixture.forge.getRepository(name), { code: 'forge-not-found' }, name);
    await assert.rejects(
      fixture.forge.ensureRepository({ name, source: fixture.source }),
      { code: 'forge-not-found' },
      name,
    );
  }
});

test('the page of a change shows its state, body, checks, review, comments and how to see the diff', async () => {
  const { forge } = fixture;
  await forge.setCheck(repository, { command: ['true'] });
  const { number, url } = await open();
  const taken = await forge.takeQueuedCheck(repository);
  assert.ok(taken);
  await forge.addComment(repository, number, { by: 'ada', body: 'Looks good.' });
  for (let check = taken; check;) {
    await forge.finishCheck(check.claim, { state: 'failed', logExcerpt: 'an ``` in \u001b[31mred\n' });
    const next = await forge.takeQueuedCheck(repository);
    if (!next) break;
    check = next;
  }
  await forge.approve(repository, number, 'ada');
  const page = await readFile(fileURLToPath(url), 'utf8');
  for (const part of [
    '# Change file-',
    '**open**',
    'Why.',
    '**failed** check',
    '````\nan ``` in �[31mred\n````',
    '- ada approved',
    'Looks good.',
    'git --git-dir=',
  ])
    assert.ok(page.includes(part), part);
  await forge.setCheck(repository, undefined);
});

test('a pushed commit is checked once: one claim holds until it is finished or expires, and a late result is refused', async () => {
  const { forge } = fixture;
  const { branch } = await open();
  await forge.setCheck(repository, { command: ['npm', 'test'], setup: [['npm', 'ci']] });
  const commit = await fixture.push(branch, 'checked.txt', 'x\n');
  assert.deepEqual(await forge.listChecks(repository, commit), [{ name: 'check', state: 'queued' }]);
  const others = createLocalForge({ rootDir: fixture.rootDir });
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? forge : others).takeQueuedCheck(undefined, { leaseMs: 60_000 }),
    ),
  );
  const taken = all.filter((check) => check?.commit === commit);
  assert.equal(taken.length, 1);
  assert.deepEqual([taken[0]?.command, taken[0]?.setup], [['npm', 'test'], [['npm', 'ci']]]);
  assert.equal((await forge.listChecks(repository, commit))[0]?.state, 'running');
  assert.ok(taken[0]);
  await forge.finishCheck(taken[0].claim, { state: 'passed', logExcerpt: 'é'.repeat(10_000) });
  await forge.finishCheck(taken[0].claim, { state: 'failed', logExcerpt: '' });
  const [check] = await forge.listChecks(repository, commit);
  assert.equal(check?.state, 'passed');
  assert.equal(Buffer.byteLength(check?.logExcerpt ?? ''), 16 * 1024);
  await forge.setCheck(repository, undefined);
});

test('a claim that expired or whose owner died can be taken by another, and the first owner’s result is refused', async () => {
  const forge = createLocalForge({ rootDir: `${fixture.rootDir}-claims` });
  await forge.ensureRepository({
    name: repository,
    source: fixture.source,
    branch: 'trunk',
    check: { command: ['true'] },
  });
  const { cloneUrl } = await forge.getRepository(repository);
  await execa('git', ['branch', 'jig/x', 'trunk'], { cwd: cloneUrl });
  await forge.ensureChange({
    repository,
    branch: 'jig/x',
    base: 'trunk',
    marker: 'm',
    title: 't',
    body: '',
    draft: false,
    labels: [],
  });

  const program = `
    import { createLocalForge } from ${JSON.stringify(new URL('../../forge/local/local-forge.ts', import.meta.url).href)};
    const forge = createLocalForge({ rootDir: process.argv[1] });
    console.log(JSON.stringify((await forge.takeQueuedCheck())?.claim));`;
  const dead = await execa(process.execPath, ['--input-type=module', '--eval', program, `${fixture.rootDir}-claims`]);
  const deadClaim = JSON.parse(dead.stdout);
  const expired = await forge.takeQueuedCheck(undefined, { leaseMs: -1 });
  const taken = await forge.takeQueuedCheck();
  assert.ok(expired && taken);
  assert.equal(await forge.takeQueuedCheck(), undefined);
  for (const late of [deadClaim, expired.claim])
    await assert.rejects(forge.finishCheck(late, { state: 'failed', logExcerpt: '' }), { code: 'forge-conflict' });
  await forge.finishCheck(taken.claim, { state: 'passed', logExcerpt: '' });
  assert.equal((await forge.listChecks(repository, taken.commit))[0]?.state, 'passed');
});

test('processes that open changes at once never use a number twice, and open one change for each branch', async () => {
  const { forge, rootDir } = fixture;
  const branches = ['jig/p1', 'jig/p2', 'jig/p3'];
  for (const branch of branches) await fixture.push(branch, `${branch}.txt`, 'x\n');
  const program = `
    import { createLocalForge } from ${JSON.stringify(new URL('../../forge/local/local-forge.ts', import.meta.url).href)};
    const forge = createLocalForge({ rootDir: process.argv[1] });
    const open = (branch) => forge.ensureChange({ repository: 'acme/api', branch, base: 'trunk', marker: branch, title: branch, body: '', draft: false, labels: [] });
    console.log(JSON.stringify((await Promise.all(JSON.parse(process.argv[2]).map(open))).map(({ number }) => number)));`;
  const run = async () =>
    (await execa(process.execPath, ['--input-type=module', '--eval', program, rootDir, JSON.stringify(branches)]))
      .stdout;
  const numbers = await Promise.all([run(), run(), run()]);
  assert.deepEqual(new Set(numbers).size, 1);
  const all = (await forge.listChanges(repository)).map(({ number }) => number);
  assert.equal(new Set(all).size, all.length);
  assert.equal(new Set(JSON.parse(numbers[0] ?? '[]')).size, 3);
});

test('an archived repository takes no changes, and an empty one is reported as empty', async () => {
  const forge = createLocalForge({ rootDir: `${fixture.rootDir}-archive` });
  const archived = await forge.ensureRepository({
    name: 'acme/old',
    source: fixture.source,
    branch: 'trunk',
    archived: true,
  });
  assert.equal(archived.archived, true);
  await assert.rejects(
    forge.ensureChange({
      repository: 'acme/old',
      branch: 'work',
      base: 'trunk',
      marker: 'm',
      title: 't',
      body: '',
      draft: false,
      labels: [],
    }),
    { code: 'forge-refused' },
  );
  await execa('git', ['init', '-q', '-b', 'trunk', `${fixture.rootDir}-empty`]);
  assert.equal((await forge.ensureRepository({ name: 'acme/empty', source: `${fixture.rootDir}-empty` })).empty, true);
});

test('looking for a check starts one git, however many changes are open', async () => {
  const { forge, rootDir } = fixture;
  for (let count = 0; count < 5; count += 1) await open();
  await forge.setCheck(repository, { command: ['true'] });
  try {
    const folder = await mkdtemp(join(tmpdir(), 'jig-git-'));
    const log = join(folder, 'log');
    const gitPath = join(folder, 'git');
    await writeFile(gitPath, `#!/bin/sh\necho "$*" >>'${log}'\nexec git "$@"\n`, { mode: 0o755 });
    const counted = createLocalForge({ rootDir, git: { gitPath } });
    const taken = await counted.takeQueuedCheck(repository);
    assert.ok(taken);
    assert.equal((await readFile(log, 'utf8')).trim().split('\n').length, 1);
    await forge.finishCheck(taken.claim, { state: 'passed', logExcerpt: '' });
    await rm(folder, { recursive: true });
  } finally {
    await forge.setCheck(repository, undefined);
  }
});
