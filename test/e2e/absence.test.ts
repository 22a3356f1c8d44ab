import assert from 'node:assert/strict';
import { pino } from 'pino';
import { afterAll, beforeAll, test } from 'vitest';
import { runLocalCi } from '../../worker/local-ci.ts';
import type { RunState } from '../../workflows/messages.ts';
import { createWorld, type World } from './harness.ts';

const me = { by: 'ada' };
const blueprint = (name: string, steps: string): string =>
  `blueprint: v1\nname: ${name}\nsandbox: { setup: [ 'echo made >> made.log' ] }\nsteps:\n${steps}`;
const letGo = ({ steps }: RunState): boolean => steps.some(({ path }) => path === 'away-1');
const works =
  (step: string) =>
  ({ steps }: RunState): boolean =>
    steps.some(({ path, state }) => path === step && state === 'running');

let world: World;
const stopCi = new AbortController();
let ci: Promise<void>;
beforeAll(async () => {
  const shell = (command: string) => [{ tool: 'shell', arguments: { command } }];
  world = await createWorld({
    script: {
      script: 'v1',
      replies: [
        { step: 'fix', turn: 1, calls: shell('sed -i s/1/2/ app.py') },
        { step: 'fix', turn: 2, text: 'x is two.' },
        { step: 'ci/round-2', turn: 1, contains: 'must be three', calls: shell('sed -i s/2/3/ app.py') },
        { step: 'ci/round-2', turn: 2, text: 'x is three.' },
      ],
    },
    config: { runs: { heartbeatTimeoutMs: 1000, releaseAfterMs: 200 } },
  });
  const files = { 'app.py': 'x = 1\n', 'log.txt': 'begun\n', '.gitignore': 'cache/\n*.log\n' };
  await world.addRepository('acme/api', files);
  const slowCheck = 'sleep 3; grep -q "x = 3" app.py || { echo x must be three; exit 1; }';
  await world.addRepository('acme/checked', files, ['sh', '-c', slowCheck]);
  ci = runLocalCi({ parts: world.parts, forge: world.forge, log: pino({ level: 'silent' }) }, stopCi.signal);
});
afterAll(async () => {
  stopCi.abort();
  await ci;
  await world[Symbol.asyncDispose]();
});

const listSandboxes = () => world.parts.sandboxes.listSandboxes();
const work = `
  - id: work
    run: |
      mkdir cache; echo kept > cache/ignored; echo new > 'odd name'; echo 'x = 2' > app.py; git add app.py
      chmod 755 app.py; ln -s app.py link
  - id: good
    approve: {}
`;
const look = `
  - id: look
    run: cat cache/ignored 'odd name' link made.log; test -x app.py; git status --short | grep -v made.log
`;

test('a run that waits long for a person releases its sandbox, and comes back on an exact copy', async () => {
  const steps = `${work}${look}  - end: { outcome: succeeded, reason: "\${{ steps.look.stdout }}" }\n`;
  const runId = await world.start(blueprint('waits', steps));
  await world.until(runId, letGo);
  assert.deepEqual(await listSandboxes(), []);
  await world.client.approve(runId, me);
  const { reason } = await world.client.result(runId);
  assert.deepEqual(reason.split('\n'), ['kept', 'new', 'x = 2', 'made', 'MM app.py', '?? link', '?? "odd name"']);
  assert.deepEqual(await listSandboxes(), []);
});

test('a run that needs no sandbox after its wait does not make one', async () => {
  const runId = await world.start(blueprint('ends', `${work}  - end: { outcome: succeeded, reason: done }\n`));
  await world.until(runId, letGo);
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).outcome, 'succeeded');
  const { steps } = await world.client.describe(runId);
  assert.equal(steps.filter(({ kind }) => kind === 'setup').length, 1);
});

test('what a check left behind stays out of the change also if the run comes back on a copy in between', async () => {
  const steps = `
  - check: [ echo x >report.xml ]
  - run: echo 'x = 2' >app.py; echo meant >meant.txt
  - approve: {}
  - check: [ grep -q 2 app.py && echo y >later.xml ]
  - change: { title: Make x two }
`;
  const runId = await world.start(blueprint('leaves', steps));
  await world.until(runId, letGo);
  await world.client.approve(runId, me);
  const { outcome, reason } = await world.client.result(runId);
  assert.equal(outcome, 'succeeded', reason);
  const number = (await world.client.describe(runId)).change?.number ?? 0;
  const files = (await world.forge.getDiff('acme/api', number)).matchAll(/^diff --git a\/.* b\/(.*)$/gm);
  assert.deepEqual(
    [...files].map(([, path]) => path),
    ['app.py', 'meant.txt'],
  );
});

test('if a sandbox is lost before anything has changed since the copy, only the step is done again', async () => {
  const steps = `${work}
  - id: slow
    run: echo once >> tries; sleep 2; cat tries
  - end: { outcome: succeeded, reason: "\${{ steps.slow.stdout }}" }
`;
  const runId = await world.start(blueprint('loses', steps));
  await world.until(runId, letGo);
  await world.client.approve(runId, me);
  await world.until(runId, ({ steps: rows }) =>
    rows.some(({ path, state }) => path === 'back-1/setup/0' && state === 'succeeded'),
  );
  const [sandbox] = await listSandboxes();
  await world.parts.sandboxes.destroySandbox(sandbox?.id ?? '');
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.reason], ['succeeded', 'once']);
  const { steps: rows } = await world.client.describe(runId);
  assert.equal(rows.filter(({ path }) => path === 'work').length, 1, 'what was done stays done');
  assert.deepEqual(
    rows.filter(({ path }) => path === 'slow').map(({ state }) => state),
    ['failed', 'succeeded'],
  );
  assert.deepEqual(await listSandboxes(), []);
});

test('a cancelled run whose sandbox was released ends at once, and nothing is left', async () => {
  const runId = await world.start(blueprint('cancelled', work));
  await world.until(runId, letGo);
  await world.client.cancel(runId, me);
  assert.equal((await world.client.result(runId)).outcome, 'cancelled');
  assert.deepEqual(await listSandboxes(), []);
});

test('items that wait for people keep the sandbox while another item works', async () => {
  const steps = `
  - id: review
    each: \${{ ['wait', 'work'] }}
    as: item
    do:
      - if: item == 'wait'
        approve: {}
      - id: slow
        if: item == 'work'
        run: sleep 1.5; echo done > slow.txt
  - id: look
    run: cat slow.txt
  - end: { outcome: succeeded, reason: "\${{ steps.look.stdout }}" }
`;
  const runId = await world.start(blueprint('beside', steps));
  const working = await world.until(runId, works('review[1].slow'));
  assert.equal(letGo(working), false);
  await world.until(runId, letGo);
  const { steps: rows } = await world.client.describe(runId);
  assert.equal(rows.find(({ path }) => path === 'review[1].slow')?.state, 'succeeded');
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).reason, 'done', 'a block that ends while its sandbox is away');
});

test('items that wait let the sandbox go also after one of them came back to it, and set no timer after that', async () => {
  const steps = `
  - id: review
    each: \${{ ['a', 'b'] }}
    as: item
    do:
      - id: good
        approve: {}
      - id: mark
        run: [ sh, -c, 'echo "$1" >> marks', sh, "\${{ item }}" ]
  - id: marks
    run: sort marks | tr '\\n' ' '
  - end: { outcome: succeeded, reason: "\${{ steps.marks.stdout }}" }
`;
  const runId = await world.start(blueprint('two-wait', steps));
  await world.until(runId, letGo);
  await world.client.approve(runId, { ...me, step: 'review[0].good' });
  await world.until(runId, ({ steps: rows }) => rows.some(({ path }) => path === 'away-2'));
  assert.deepEqual(await listSandboxes(), []);
  const describe = () => world.client.temporal.workflow.getHandle(runId).describe();
  const { historyLength } = await describe();
  // Six times as long as the time after which a run lets its sandbox go.
  await new Promise((resolve) => setTimeout(resolve, 1200));
  assert.equal((await describe()).historyLength, historyLength);
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).reason, 'a b ');
});

test('a run that waits for CI lets its sandbox go, and its repair comes back on all that was there', async () => {
  const steps = `
  - run: mkdir cache; echo kept > cache/ignored
  - id: fix
    agent: { task: Make x two, allow-paths: [ app.py ] }
  - run: echo 'by a step' >> log.txt
  - change: { title: Change x, gate: spared }
  - ci: { wait: 60s, autofix: [ 'cat cache/ignored >> log.txt' ] }
  - id: look
    run: tr '\\n' ' ' < log.txt
  - if: steps.ci.passed && steps.ci.rounds == 2
    end: { outcome: succeeded, reason: "\${{ steps.look.stdout }}" }
`;
  const { end, state } = await world.run(blueprint('ci-waits', steps), { repository: 'acme/checked' });
  assert.equal(end.reason, 'begun by a step kept ', `${end.code} ${end.reason}`);
  const away = state.steps.filter(({ path }) => path.startsWith('away-'));
  assert.equal(away.length, 2, 'once for each wait');
  assert.deepEqual(await listSandboxes(), []);
});

test('a blueprint’s files are in the sandbox that a run comes back to, read-only', async () => {
  const text = `blueprint: v1
name: comes-back
steps:
  - id: good
    approve: {}
  - id: tool
    run: cat "$JIG_BLUEPRINT/tools/word.txt"; sh "\${JIG_BLUEPRINT}/tools/say.sh"; ! echo x 2>/dev/null > "$JIG_BLUEPRINT/tools/word.txt"
  - end: { outcome: succeeded, reason: "\${{ steps.tool.stdout }}" }
`;
  const file = (path: string, content: string) => ({
    path,
    executable: false,
    base64: Buffer.from(content).toString('base64'),
  });
  const files = [file('tools/word.txt', 'hello '), file('tools/say.sh', 'printf world')];
  const runId = await world.start({ text, files });
  await world.until(runId, letGo);
  assert.deepEqual(await listSandboxes(), []);
  await world.client.approve(runId, me);
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.reason], ['succeeded', 'hello world'], end.reason);
});
