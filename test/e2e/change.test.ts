import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { runLocalCi } from '../../worker/local-ci.ts';
import { pino } from 'pino';
import { createWorld, type World } from './harness.ts';

const blueprint = (name: string, steps: string, top = ''): string =>
  `blueprint: v1\nname: ${name}\n${top}\nsteps:\n${steps}`;
const edit = (value: string): string => `
  - id: change_it
    run: sed -i 's/x = .*/x = ${value}/' app.py`;

let world: World;
const stopCi = new AbortController();
let ci: Promise<void>;
beforeAll(async () => {
  world = await createWorld({
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
        {
          step: 'outside',
          turn: 1,
          calls: [
            { tool: 'edit', arguments: { path: 'tests/a.txt', old: 'a', new: 'b' } },
            { tool: 'shell', arguments: { command: 'echo b > tests/a.txt; sed -i s/1/2/ app.py' } },
          ],
        },
        { step: 'outside', turn: 2, text: 'Done.' },
        {
          step: 'outside',
          turn: 3,
          contains: 'tests/a.txt',
          calls: [{ tool: 'shell', arguments: { command: 'git checkout -q tests/a.txt' } }],
        },
        { step: 'outside', turn: 4, text: 'Only app.py is changed.' },
      ],
    },
  });
  const files = {
    'app.py': 'x = 1\n',
    'tests/a.txt': 'a\n',
    '.gitignore': 'cache/\n',
    '.github/workflows/ci.yml': 'on: push\n',
  };
  await world.addRepository('acme/api', files);
  await world.addRepository('acme/checked', files, [
    'sh',
    '-c',
    'grep -q "x = 3" app.py || { echo x must be three; exit 1; }',
  ]);
  ci = runLocalCi({ parts: world.parts, forge: world.forge, log: pino({ level: 'silent' }) }, stopCi.signal);
});
afterAll(async () => {
  stopCi.abort();
  await ci;
  await world[Symbol.asyncDispose]();
});

test('a change carries one trusted commit, its evidence, and only what the run changed', async () => {
  const { end, state } = await world.run(
    blueprint(
      'change',
      `${edit('2')}
  - check: [ grep -q 'x = 2' app.py ]
  - change: { title: Make x two, draft: true }
`,
    ),
  );
  assert.equal(end.outcome, 'succeeded', `${end.reason} ${JSON.stringify(state.steps)}`);
  const change = await world.forge.findChange('acme/api', { number: state.change?.number ?? 0 });
  assert.equal(change?.title, 'Make x two');
  assert.equal(change?.draft, true);
  assert.match(change?.body ?? '', /### Evidence/);
  assert.match(change?.body ?? '', /grep -q 'x = 2' app\.py/);
  const repository = await world.forge.getRepository('acme/api');
  const { stdout } = await execa('git', [
    '--git-dir',
    repository.cloneUrl,
    'log',
    '--format=%an|%s|%b',
    `main..${change?.branch}`,
  ]);
  assert.match(stdout, /^Jig\|Make x two\|Jig-Blueprint: change@[0-9a-f]{12}\nJig-Run: run\/local:acme\/api\/change\//);
  assert.match(await world.forge.getDiff('acme/api', change?.number ?? 0), /\+x = 2/);
});

test('steps that change nothing open no change', async () => {
  const { end } = await world.run(
    blueprint(
      'nothing',
      `
  - run: 'true'
  - change: { title: Nothing }
`,
    ),
  );
  assert.equal(end.outcome, 'nothing-to-do');
});

test('a check that passes only where the agent worked fails in the clean checkout, and nothing is pushed', async () => {
  const { end, state } = await world.run(
    blueprint(
      'prepared',
      `${edit('4')}
  - run: mkdir -p cache && touch cache/green
  - check: [ test -e cache/green ]
  - change: { title: Never }
`,
    ),
  );
  assert.equal(end.code, 'gate-failed', end.reason);
  assert.equal(state.change, undefined);
});

test('the evidence says if the gate was spared', async () => {
  const { state } = await world.run(
    blueprint(
      'spared',
      `${edit('5')}
  - check: [ grep -q 'x = 5' app.py ]
  - change: { title: Spared, gate: spared }
`,
    ),
  );
  const change = await world.forge.findChange('acme/api', { number: state.change?.number ?? 0 });
  assert.match(change?.body ?? '', /did \*\*not\*\* run again in a clean checkout/);
});

test('a change of a protected path is refused by code', async () => {
  const { end } = await world.run(
    blueprint(
      'protected',
      `
  - run: echo changed > .github/workflows/ci.yml
  - change: { title: More CI }
`,
    ),
  );
  assert.equal(end.code, 'protected-path', end.reason);
});

test('a check that failed before the change does not count against it', async () => {
  const { end } = await world.run(
    blueprint(
      'baseline',
      `
  - check: [ 'false' ]
    gate: baseline
${edit('6')}
  - check: [ 'false' ]
  - change: { title: Make x six }
`,
    ),
  );
  assert.equal(end.outcome, 'succeeded', end.reason);
});

test('an agent that leaves its allowed paths is told, and its step succeeds only within them', async () => {
  const { end, state } = await world.run(
    blueprint(
      'allowed',
      `
  - id: outside
    agent: { task: Make x two, tools: [ edit, shell ], allow-paths: [ 'app.py' ] }
  - id: propose
    change: { title: Make x two }
`,
    ),
  );
  assert.equal(end.outcome, 'succeeded', `${end.reason} ${JSON.stringify(state.steps)}`);
  assert.equal(state.change?.files, 1);
});

test('a failed CI goes back to the agent once, and the second push ends it', async () => {
  const { end, state } = await world.run(
    blueprint(
      'repaired',
      `
  - id: fix
    agent: { task: Make x two, tools: [ edit ] }
  - change: { title: Change x }
  - ci: { wait: 60s }
  - if: steps.ci.passed && steps.ci.rounds == 2
    end: { outcome: succeeded, reason: repaired }
`,
    ),
    { repository: 'acme/checked' },
  );
  assert.equal(end.reason, 'repaired', JSON.stringify(state.steps));
  const change = await world.forge.findChange('acme/checked', { number: 1 });
  assert.equal(change?.headCommit, state.change?.commit);
});

test('a CI that can’t be repaired is handed to a person with the log, without a third round', async () => {
  const { end, state } = await world.run(
    blueprint(
      'handed-over',
      `${edit('9')}
  - change: { title: Make x nine }
  - ci: { wait: 60s, autofix: [ 'sed -i s/9/8/ app.py' ] }
`,
    ),
    { repository: 'acme/checked' },
  );
  assert.equal(end.outcome, 'needs-human');
  assert.equal(end.code, 'ci-failed');
  assert.match(end.reason, /round 2/);
  const [comment] = await world.forge.listComments('acme/checked', state.change?.number ?? 0);
  assert.match(comment?.body ?? '', /Needs a human[\s\S]*x must be three/);
});

test('a repository that does not exist ends the run with a typed reason', async () => {
  const { end } = await world.run(blueprint('absent', "\n  - run: 'true'\n"), { repository: 'acme/absent' });
  assert.equal(end.outcome, 'failed');
  assert.equal(end.code, 'forge-not-found');
});
