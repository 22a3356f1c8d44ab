import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { createWorld, type World } from './harness.ts';

let world: World;
beforeAll(async () => {
  const call = (command: string) => ({ tool: 'shell', arguments: { command } });
  world = await createWorld({
    script: {
      script: 'v1',
      replies: [
        { step: 'fix', turn: 1, calls: [call('echo x = 2 >app.py; echo new >new.py')] },
        { step: 'fix', turn: 2, calls: [call('python3 test_app.py 2>&1 | tail -n 5')] },
        { step: 'fix', turn: 3, text: 'x is two.' },
      ],
    },
  });
  await world.addRepository('acme/api', {
    'app.py': 'x = 1\n',
    'test_app.py': 'import app\nprint(app.x)\n',
    'lock.txt': 'one\n',
    '.gitignore': 'build/\n',
  });
});
afterAll(() => world[Symbol.asyncDispose]());

async function run(name: string, steps: string, top = '') {
  const { end, state } = await world.run(`blueprint: v1\nname: ${name}\n${top}\nsteps:\n${steps}`);
  const note = state.steps.find(({ kind }) => kind === 'change')?.note ?? '';
  const number = state.change?.number;
  const diff = number === undefined ? '' : await world.forge.getDiff('acme/api', number);
  const body = number === undefined ? '' : ((await world.forge.findChange('acme/api', { number }))?.body ?? '');
  return { end, note, body, files: [...diff.matchAll(/^diff --git a\/.* b\/(.*)$/gm)].map(([, path]) => path) };
}

test('what setup and checks leave behind stays out of the change, and the evidence says so', async () => {
  const { end, files, note, body } = await run(
    'leaves',
    `
  - agent: { task: Fix it, tools: [ shell ] }
    id: fix
    verify: [ python3 test_app.py, echo x >coverage.xml ]
  - check: [ mkdir report && echo x >report/1 ]
  - run: echo x >report/2; echo x >meant
  - change: { title: Fix }
`,
    'sandbox: { setup: [ mkdir api.egg-info, "echo x >api.egg-info/PKG; echo two >lock.txt" ] }',
  );
  assert.equal(end.outcome, 'succeeded', end.reason);
  assert.deepEqual(files, ['app.py', 'meant', 'new.py']);
  assert.match(note, /5 new files that setup or a check made are not in the change: .*coverage\.xml/);
  assert.match(body, /- 5 new files that setup or a check made are not in the change: /);
});

test('new files that .gitignore names are named, and can be included, like those that a check made', async () => {
  const make = '  - run: mkdir build; echo x >build/out.txt\n  - check: [ echo x >made.txt ]\n';
  const nothing = await run('ignored', `${make}  - change: { title: Generated }\n`);
  assert.equal(nothing.end.outcome, 'nothing-to-do');
  assert.match(nothing.end.reason, /1 new file is ignored by \.gitignore and not in the change: build\/out\.txt/);
  const included = await run('included', `${make}  - change: { title: Generated, include: [ build/**, made.txt ] }\n`);
  assert.equal(included.end.outcome, 'succeeded', included.end.reason);
  assert.deepEqual(included.files, ['build/out.txt', 'made.txt']);
});

test('`only` of a change is decided on the commit that is pushed', async () => {
  const write = '  - run: echo 2 >app.py; echo x >other.py\n';
  const refused = await run('outside', `${write}  - change: { title: Fix, only: [ app.py ] }\n`);
  assert.deepEqual([refused.end.outcome, refused.end.code], ['failed', 'path-not-allowed'], refused.end.reason);
  assert.match(refused.end.reason, /"other\.py"/);
  const only = '  - change: { title: Fix, only: [ app.py ] }\n';
  assert.deepEqual((await run('inside', `${write}  - run: rm other.py\n${only}`)).files, ['app.py']);
});

test('a file that becomes executable is refused, unless the change allows it, and then its mode is shown', async () => {
  const make = '  - run: chmod +x app.py\n';
  const refused = await run('refused', `${make}  - change: { title: Mode }\n`);
  assert.equal(refused.end.code, 'mode-change', refused.end.reason);
  const allowed = await run('allowed', `${make}  - change: { title: Mode, allow: [ mode-change ] }\n`);
  assert.match(allowed.end.reason, /is open.*; app\.py: mode 100644 -> 100755$/);
  assert.match(allowed.note, /app\.py: mode 100644 -> 100755/);
  assert.match(allowed.body, /- app\.py: mode 100644 -\\?> 100755/);
});
