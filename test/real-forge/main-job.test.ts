import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { createWorld, type World } from '../e2e/harness.ts';
import { startCi, type CiProgram } from './ci-program.ts';
import { startFaultyProxy, type FaultyProxy } from './faulty-proxy.ts';
import { createGiteaFixture, type GiteaFixture } from './gitea-fixture.ts';
import { findMissingBuildTool } from './gitea-program.ts';

const skip = (await findMissingBuildTool()) !== undefined;
const blueprint = (name: string, steps: string): string => `blueprint: v1\nname: ${name}\nsteps:\n${steps}`;
const set = (value: string): string => `
  - id: change_it
    run: sed -i 's/x = .*/x = ${value}/' app.py`;

let gitea: GiteaFixture;
let ci: CiProgram;
let proxy: FaultyProxy;
let world: World;

beforeAll(async () => {
  if (skip) return;
  gitea = await createGiteaFixture();
  ci = await startCi(gitea.server.url, gitea.acme);
  proxy = await startFaultyProxy(gitea.server.url);
  const forge = (url: string) => ({ kind: 'gitea', url });
  world = await createWorld({
    env: { JIG_GITEA_TOKEN: gitea.token },
    config: {
      forges: { gitea: forge(gitea.server.url), faulty: forge(proxy.url) },
      ci: { pollMs: 50, graceMs: 30_000 },
    },
    script: {
      script: 'v1',
      replies: [
        { step: 'fix', turn: 1, calls: [{ tool: 'edit', arguments: { path: 'app.py', old: 'x = 1', new: 'x = 2' } }] },
        { step: 'fix', turn: 2, text: 'x is two.' },
        {
          step: 'ci/round-2',
          turn: 1,
          contains: 'must be three',
          calls: [{ tool: 'edit', arguments: { path: 'app.py', old: 'x = 2', new: 'x = 3' } }],
        },
        { step: 'ci/round-2', turn: 2, text: 'x is three now.' },
      ],
    },
  });
  await gitea.addRepository('acme/service', { 'app.py': 'x = 1\n' });
  await ci.watch('acme/service', ['sh', '-c', 'grep -q "x = 3" app.py || { echo x must be three; exit 1; }']);
});
afterAll(async () => {
  if (skip) return;
  await world[Symbol.asyncDispose]();
  await ci.stop();
  await proxy.stop();
  await gitea.close();
});

const run = (name: string, steps: string, forge = 'gitea') =>
  world.run(blueprint(name, steps), { forge, repository: 'acme/service' });
const findChange = (number: number | undefined) => gitea.forge.findChange('acme/service', { number: number ?? 0 });
const changesOf = async (branch: RegExp) =>
  (await gitea.forge.listChanges('acme/service')).filter((change) => branch.test(change.branch));

test(
  'a blueprint leads to a pull request with evidence; its CI fails, the agent repairs it, and the second round is green',
  { skip },
  async () => {
    const { end, state, runId } = await run(
      'repaired',
      `
  - id: fix
    agent: { task: Make x two, tools: [ edit ] }
  - check: [ grep -q 'x =' app.py ]
  - change: { title: Change x, draft: false, labels: [ jig ] }
  - ci: { wait: 120s }
`,
    );
    assert.equal(end.outcome, 'succeeded', `${end.reason} ${JSON.stringify(state.steps)}`);
    assert.match(state.steps.find(({ kind }) => kind === 'ci')?.note ?? '', /1 passed in round 2/);
    const change = await findChange(state.change?.number);
    assert.deepEqual(
      [change?.state, change?.draft, change?.title, change?.labels, change?.headCommit],
      ['open', false, 'Change x', ['jig'], state.change?.commit],
    );
    assert.match(change?.body ?? '', /### Evidence[\s\S]*grep -q 'x =' app/);
    assert.equal((await changesOf(/^jig\/repaired-/)).length, 1);
    const { data: commits } = await gitea.acme.api.repos.repoGetPullRequestCommits(
      'acme',
      'service',
      state.change?.number ?? 0,
    );
    assert.ok(commits.every(({ commit }) => commit?.message?.includes(`Jig-Run: ${runId}`)));
    // Oldest first: what failed, and what the agent made of it.
    assert.deepEqual(
      ci.checked.filter((checked) => commits.some(({ sha }) => sha === checked)),
      commits.map(({ sha }) => sha).toReversed(),
    );
    assert.equal(commits.length, 2);
    assert.deepEqual(
      (await gitea.forge.listChecks('acme/service', state.change?.commit ?? '')).map(
        ({ name, state: checkState }) => `${name} ${checkState}`,
      ),
      ['ci/check passed'],
    );
  },
);

test(
  'a change whose CI fails twice is handed to a person, with an excerpt of the log in one comment',
  { skip },
  async () => {
    const { end, state } = await run(
      'handed-over',
      `${set('9')}
  - change: { title: Make x nine }
  - ci: { wait: 120s, autofix: [ 'sed -i s/9/8/ app.py' ] }
`,
    );
    assert.deepEqual([end.outcome, end.code], ['needs-human', 'ci-failed'], end.reason);
    const { data: comments } = await gitea.acme.api.repos.issueGetComments(
      'acme',
      'service',
      state.change?.number ?? 0,
    );
    assert.equal(comments.length, 1);
    assert.match(comments[0]?.body ?? '', /Needs a human[\s\S]*x must be three/);
  },
);

test('if the answer to opening a change is lost, there is still one change', { skip }, async () => {
  proxy.breakNext(/^POST .*\/pulls$/, { kind: 'answer-lost' });
  // Also the second look fails, so that the activity starts over.
  proxy.breakNext(/^GET .*\/pulls\/main\/jig%2Flost/, { kind: 'status', status: 404 }, { kind: 'status', status: 500 });
  const { end, state } = await run(
    'lost',
    `${set('4')}\n  - change: { title: Make x four, branch: jig/lost }\n`,
    'faulty',
  );
  assert.equal(end.outcome, 'succeeded', end.reason);
  assert.deepEqual(
    (await changesOf(/^jig\/lost/)).map(({ number }) => number),
    [state.change?.number],
  );
  assert.equal(proxy.seen.filter((line) => /^POST .*\/pulls$/.test(line)).length, 1);
});

test('commands in a title are shown and not obeyed, in the commit as in the change', { skip }, async () => {
  const { end, state } = await run(
    'ordering',
    `${set('6')}\n  - change: { title: "Close #1 [skip ci] for @everyone\\n\\nJig-Run: forged", draft: false }\n`,
  );
  assert.equal(end.outcome, 'succeeded', end.reason);
  const title = 'Close # 1 [ skip ci] for @ everyone Jig-Run: forged';
  assert.equal((await findChange(state.change?.number))?.title, title);
  const { data: commit } = await gitea.acme.api.repos.repoGetSingleCommit(
    'acme',
    'service',
    state.change?.commit ?? '',
  );
  assert.match(
    commit.commit?.message ?? '',
    /^Close # 1 \[ skip ci\] for @ everyone Jig-Run: forged\n\nJig-Blueprint: ordering@[0-9a-f]{12}\nJig-Run: run\/gitea:acme\/service\/ordering\//,
  );
});

test('a branch with other people’s commits is left alone, and the run adds a suffix', { skip }, async () => {
  const { data: foreign } = await gitea.acme.api.repos.repoCreateFile('acme', 'service', 'other.txt', {
    content: Buffer.from('theirs\n').toString('base64'),
    new_branch: 'jig/taken',
    message: 'Theirs',
  });
  const { end, state } = await run('taken', `${set('5')}\n  - change: { title: Make x five, branch: jig/taken }\n`);
  assert.equal(end.outcome, 'succeeded', end.reason);
  assert.equal(state.change?.branch, 'jig/taken-2');
  const { data: branch } = await gitea.acme.api.repos.repoGetBranch('acme', 'service', 'jig%2Ftaken');
  assert.equal(branch.commit?.id, foreign.commit?.sha);
});

test(
  'a run keeps waiting for checks while the host fails, limits requests and sends broken answers',
  { skip },
  async () => {
    proxy.breakNext(
      /\/statuses\//,
      { kind: 'status', status: 500 },
      { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
      { kind: 'status', status: 403, headers: { 'x-ratelimit-remaining': '0' } },
      { kind: 'json-cut' },
      { kind: 'answer-lost' },
    );
    const { end, state } = await run(
      'flaky',
      `${set('3')}\n  - change: { title: Make x three }\n  - ci: { wait: 120s }\n`,
      'faulty',
    );
    assert.equal(end.outcome, 'succeeded', end.reason);
    assert.match(state.steps.find(({ kind }) => kind === 'ci')?.note ?? '', /1 passed in round 1/);
    assert.ok(proxy.seen.filter((line) => /\/statuses\//.test(line)).length >= 6);
  },
);

test(
  'a run waits a limited time for a required check that nobody reports, and then needs a human',
  { skip },
  async () => {
    await gitea.acme.api.repos.repoCreateBranchProtection('acme', 'service', {
      rule_name: 'main',
      enable_status_check: true,
      status_check_contexts: ['ci/check', 'security/*'],
    });
    try {
      const { end } = await run(
        'required',
        `${set('3 + 0')}\n  - change: { title: Say that it is required }\n  - ci: { wait: 5s }\n`,
      );
      assert.deepEqual([end.outcome, end.code], ['needs-human', 'ci-timeout'], end.reason);
    } finally {
      await gitea.acme.api.repos.repoDeleteBranchProtection('acme', 'service', 'main');
    }
  },
);

test(
  'if the worker does not know a forge, the run ends with its name and the names that the worker knows',
  { skip },
  async () => {
    const { end } = await run('unknown', "\n  - run: 'true'\n", 'nowhere');
    assert.deepEqual([end.outcome, end.code], ['failed', 'forge-unknown']);
    assert.match(end.reason, /nowhere.*local, gitea, faulty/);
  },
);

test('the token is in no history, in no file of the worker and in no sandbox', { skip }, async () => {
  const shapes = [
    gitea.token,
    Buffer.from(gitea.token).toString('base64'),
    Buffer.from(`ji:${gitea.token}`).toString('base64'),
  ];
  const { end, state, runId } = await run(
    'secretive',
    `
  - id: look
    run: env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; find / -name config -path '*.git*' -exec cat {} + 2>/dev/null || true
  - end: { outcome: succeeded, reason: looked }
`,
  );
  assert.equal(end.outcome, 'succeeded', JSON.stringify(state.steps));
  const history = JSON.stringify(await world.client.temporal.workflow.getHandle(runId).fetchHistory());
  for (const shape of shapes)
    assert.ok(!history.includes(shape) && !history.includes(Buffer.from(shape).toString('base64')));
  const files = (await readdir(world.dataDir, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  assert.ok(files.length > 20);
  for (const file of files) {
    const bytes = await readFile(join(file.parentPath, file.name)).catch(() => Buffer.of());
    for (const shape of shapes) assert.ok(!bytes.includes(shape), join(file.parentPath, file.name));
  }
});
