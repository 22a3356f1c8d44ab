import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
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
beforeAll(async () => {
  world = await createWorld({ config: { runs: { heartbeatTimeoutMs: 1000, releaseAfterMs: 200 } } });
  await world.addRepository('acme/api', { 'app.py': 'x = 1\n', '.gitignore': 'cache/\n*.log\n' });
});
afterAll(() => world[Symbol.asyncDispose]());

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
