import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import type { ArtifactRef } from '../../artifacts/contract.ts';
import type { Model } from '../../model/contract.ts';
import type { RunState } from '../../workflows/messages.ts';
import { createWorld, type World } from './harness.ts';

const me = { by: 'ada' };
const blueprint = (name: string, steps: string): string => `blueprint: v1\nname: ${name}\nsteps:\n${steps}`;
const items = `
  - id: items
    run: seq 1 20
    parse: lines
`;

let asked = 0;
let release: () => void = () => undefined;
const released = new Promise<void>((resolve) => (release = resolve));
const model: Model = {
  source: 'scripted',
  name: 'by-hand',
  protocol: 'native',
  contextTokens: 100_000,
  answerTokens: 4000,
  isPriced: () => true,
  async ask() {
    asked += 1;
    await released;
    const usage = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 1, costUsd: 0.5 };
    return { model: 'by-hand', content: 'Done.', toolCalls: [], stopReason: 'stop', usage };
  },
};

let world: World;
/** What reading a page of a memory comes to. */
let reading: ((page: string) => Promise<string>) | undefined;
beforeAll(async () => {
  world = await createWorld({
    model,
    config: { runs: { heartbeatTimeoutMs: 1000, continueAfterEvents: 40, staleAfterMs: 2000 } },
  });
  for (const name of ['acme/api', 'acme/moves']) await world.addRepository(name, { 'a.txt': 'a\n' });
  const { artifacts } = world.parts;
  const get = artifacts.get.bind(artifacts);
  artifacts.get = async (ref: ArtifactRef, options) => {
    const bytes = await get(ref, options);
    const text = Buffer.from(bytes).toString();
    const isPage = reading !== undefined && text.startsWith(String.raw`"{\"version\":`);
    return isPage ? Buffer.from((await reading?.(text)) ?? text) : bytes;
  };
});
afterEach(() => {
  reading = undefined;
});
afterAll(async () => {
  release();
  await world[Symbol.asyncDispose]();
});

const finished = ({ steps }: RunState) => steps.filter(({ state }) => state === 'succeeded').length;

/** Waits until a run's rows stay as they are: it waits for something. */
async function untilStill(runId: string, ms = 1500): Promise<void> {
  for (let last = -1; ;) {
    const now = finished(await world.client.describe(runId));
    if (now === last) return;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** One item is at work for long, while the others fill the history. */
const besides = (work: string): string => `${items}
  - id: loop
    each: \${{ steps.items.value }}
    as: item
    at-once: 2
    do:
      - id: long
        if: item == '1'
        ${work}
      - run: [ echo, "\${{ item }}" ]
`;

test('what failed commands wrote is still shown after the run has gone on as a new execution', async () => {
  const steps = `
  - { id: red, run: echo why >&2; exit 3, on-failure: continue }
  - { id: checked, check: [ echo so >&2; exit 4 ], on-failure: continue }
${items}
  - { id: loop, each: "\${{ steps.items.value }}", as: item, do: [ { run: "true" } ] }
`;
  const { runId, state, end } = await world.run(blueprint('keeps', steps));
  assert.equal(end.outcome, 'succeeded', end.reason);
  const { raw } = await world.client.temporal.workflow.getHandle(runId).describe();
  const { firstRunId, execution } = raw.workflowExecutionInfo ?? {};
  assert.notEqual(execution?.runId, firstRunId, 'it has gone on as a new execution');
  const shown = new Map(state.steps.map(({ path, artifacts }) => [path, artifacts]));
  const read = async (ref: ArtifactRef | undefined) =>
    ref && Buffer.from(await world.parts.artifacts.get(ref)).toString();
  assert.equal(await read(shown.get('red')?.['stderr']), 'why\n');
  assert.equal(await read(shown.get('checked')?.['stderr-0']), 'so\n');
});

test('a question about a repository that has moved is asked also where the run goes on as a new execution', async () => {
  const runId = await world.start(blueprint('moved', besides('run: sleep 8')), { repository: 'acme/moves' });
  await world.until(runId, ({ steps }) => steps.some(({ path }) => path === 'loop[0].long'));
  await untilStill(runId);
  const { cloneUrl } = await world.forge.getRepository('acme/moves');
  const git = (...words: string[]) => execa('git', ['--git-dir', cloneUrl, ...words]);
  const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
  const { stdout: commit } = await git(...author, 'commit-tree', 'main^{tree}', '-p', 'main', '-m', 'moved');
  await git('update-ref', 'refs/heads/main', commit);
  await world.until(runId, ({ questions }) => questions.some(({ kind }) => kind === 'stale'));
  const handle = world.client.temporal.workflow.getHandle(runId);
  const { firstRunId } = (await handle.describe()).raw.workflowExecutionInfo ?? {};
  while ((await handle.describe()).runId === firstRunId) await world.client.describe(runId);
  const state = await world.client.describe(runId);
  assert.deepEqual([state.phase, state.questions[0]?.id], ['waiting-for-human', 'jig:stale']);
  await world.client.reject(runId, me);
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.code], ['needs-human', 'base-moved'], end.reason);
});

test('a run that is resumed while it goes on as a new execution does not ask to be resumed', async () => {
  const runId = await world.start(blueprint('resumed', besides('agent: { task: Do it }')));
  await world.until(runId, () => asked > 0);
  await untilStill(runId);
  await world.client.pause(runId, me);
  assert.deepEqual((await world.client.describe(runId)).phase, 'paused');
  let resumed = 0;
  reading = async (page) => {
    resumed += 1;
    if (resumed === 1) await world.client.resume(runId, me);
    return page;
  };
  release();
  const state = await world.until(runId, (now) => resumed > 0 && now.phase !== 'paused');
  assert.deepEqual(state.questions, []);
  const end = await world.client.result(runId);
  assert.equal(end.outcome, 'succeeded', end.reason);
});

const long = `${items}
  - each: \${{ steps.items.value }}
    as: item
    do:
      - run: [ echo, "\${{ item }}" ]
`;

async function endsAsLost(name: string): Promise<{ reason: string; state: RunState }> {
  const { end, state } = await world.run(blueprint(name, `${asksAModel}${long}`));
  assert.deepEqual([end.outcome, end.code], ['failed', 'memory-lost'], end.reason);
  assert.ok(state.evidence);
  assert.deepEqual(await world.parts.sandboxes.listSandboxes(), []);
  assert.equal(state.usage.costUsd, 0.5, 'what it has cost is known all the same');
  return { reason: end.reason, state };
}

const asksAModel = `
  - id: fix
    agent: { task: Do it }
`;

test('a run whose memory can not be read back ends honestly, with its evidence and what it has cost', async () => {
  release();
  reading = async () => {
    throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
  };
  assert.match((await endsAsLost('unreadable')).reason, /could not be read: EACCES/);
});

test('a run that finds the memory of another version ends honestly, with its evidence', async () => {
  release();
  reading = async (page) => page.replace(String.raw`\"version\":1`, String.raw`\"version\":7`);
  assert.match((await endsAsLost('of-another-version')).reason, /not a memory of this version of Jig: version/);
});

test('a run that finds half a memory ends honestly, with its evidence', async () => {
  release();
  reading = async (page) => page.replace(String.raw`\"rounds\"`, String.raw`\"round\"`);
  assert.match((await endsAsLost('half')).reason, /not a memory of this version of Jig: rounds/);
});

for (const { written, expected } of [
  { written: 'green', expected: undefined },
  { written: 'nothing', expected: 'gate-failed' },
]) {
  test(`what must turn green still must after a new execution and after it was sent back: the change writes ${written}`, async () => {
    const steps = `
  - id: red
    check: [ "grep -q green a.txt || { echo not yet; exit 1; }" ]
    gate: turn-green
    fails-with: not yet
${items}
  - id: many
    each: \${{ steps.items.value }}
    as: item
    do:
      - run: 'true'
  - run: echo ${written} > a.txt
  - id: good
    approve: { question: Good? }
  - change: { title: Green }
`;
    const runId = await world.start(blueprint('turns', steps), { repository: 'acme/api' });
    const asks = () => world.until(runId, ({ questions }) => questions.some(({ id }) => id === 'good'));
    await asks();
    const { raw } = await world.client.temporal.workflow.getHandle(runId).describe();
    const { execution, firstRunId } = raw.workflowExecutionInfo ?? {};
    assert.notEqual(execution?.runId, firstRunId, 'it went on as a new execution');
    await world.client.sendBack(runId, { ...me, step: 'good', to: 'red', comment: 'Once more' });
    await world.until(runId, ({ steps: rows }) => rows.filter(({ path }) => path === 'good').length === 2);
    await asks();
    await world.client.approve(runId, me);
    const end = await world.client.result(runId);
    assert.equal(end.code, expected, end.reason);
  });
}
