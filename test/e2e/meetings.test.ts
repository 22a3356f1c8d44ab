import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { JigError } from '../../base/errors.ts';
import type { Model, ModelRequest, ModelResponse } from '../../model/contract.ts';
import type { RunState } from '../../workflows/messages.ts';
import { createWorld, type World } from './harness.ts';

const blueprint = (name: string, steps: string): string => `blueprint: v1\nname: ${name}\nsteps:\n${steps}`;
const me = { by: 'ada' };
const word = '{ type: object, properties: { word: { type: string } }, required: [ word ] }';

const asked: ModelRequest[] = [];
const lastWords = ({ messages }: ModelRequest): string => messages.at(-1)?.content ?? '';

/** What slow answers wait for. */
let release: () => void = () => undefined;
let released: Promise<void> = Promise.resolve();

/** Answers prompts by the last word that it was told, and agents by what they heard last. */
const model: Model = {
  source: 'scripted',
  name: 'by-hand',
  protocol: 'native',
  contextTokens: 100_000,
  answerTokens: 4000,
  isPriced: () => true,
  async ask(request): Promise<ModelResponse> {
    asked.push(request);
    const said = lastWords(request);
    if (said.includes('slowly')) await released;
    const answer = /say (\w+)/.exec(said)?.[1] ?? 'nothing';
    const content = request.answer ? JSON.stringify({ word: answer }) : `Heard: ${said.slice(-60)}`;
    const usage = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 1, costUsd: 0.01 };
    return { model: 'by-hand', content, toolCalls: [], stopReason: 'stop', usage };
  },
};

let world: World;
let quick: World;
beforeAll(async () => {
  world = await createWorld({ model, config: { runs: { heartbeatTimeoutMs: 1000 } } });
  quick = await createWorld({ model, config: { runs: { heartbeatTimeoutMs: 1000, continueAfterEvents: 30 } } });
  const files = { 'words.txt': 'one\ntwo\nthree\n', 'app.py': 'x = 1\n' };
  for (const each of [world, quick]) await each.addRepository('acme/api', files);
});
afterAll(async () => {
  release();
  await world[Symbol.asyncDispose]();
  await quick[Symbol.asyncDispose]();
});

const refusal =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof JigError && error.code === code;
const asks =
  (count: number) =>
  ({ questions }: RunState): boolean =>
    questions.length === count;
const askedAgain =
  (path: string, times: number) =>
  ({ questions, steps }: RunState): boolean =>
    questions.length > 0 && steps.filter((row) => row.path === path).length === times;

const rewriteWords = `
  - id: words
    run: cat words.txt
    parse: lines
  - id: rewrite
    each: \${{ steps.words.value }}
    as: word
    at-once: 3
    do:
      - id: ask
        prompt: { text: "Please say \${{ word }}x", answer: ${word} }
      - edit: { path: words.txt, old: "\${{ word }}", new: "\${{ steps.ask.value.word }}" }
`;

test('an each that is sent back first undoes its edits, then asks all of its prompts again with the comment', async () => {
  asked.length = 0;
  const runId = await world.start(
    blueprint(
      'each-sent-back',
      `${rewriteWords}
  - id: good
    approve: {}
  - id: result
    run: tr '\\n' ' ' < words.txt
  - end: { outcome: succeeded, reason: "\${{ steps.result.stdout }}" }
`,
    ),
  );
  const first = await world.until(runId, asks(1));
  assert.deepEqual(first.questions[0]?.sendBackTo, ['rewrite', 'words']);
  await world.client.sendBack(runId, { ...me, comment: 'better say four' });
  await world.until(runId, askedAgain('good', 2));
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).reason, 'four four four ');
  assert.equal(asked.length, 6);
  const [again] = asked.slice(3);
  assert.deepEqual(
    again?.messages.map(({ role }) => role),
    ['system', 'user', 'assistant', 'user'],
    'the question, the first answer, and what was said to it',
  );
});

test('work that is sent back across a change adds a commit to the same branch', async () => {
  const runId = await world.start(
    blueprint(
      'change-sent-back',
      `
  - id: ask
    prompt: { text: Please say two, answer: ${word} }
  - edit: { path: app.py, old: "x = 1", new: "x = \${{ steps.ask.value.word }}" }
  - change: { title: Another x, gate: spared }
  - id: good
    approve: {}
`,
    ),
  );
  const first = await world.until(runId, asks(1));
  await world.client.sendBack(runId, { ...me, comment: 'rather say three' });
  const second = await world.until(runId, askedAgain('good', 2));
  assert.deepEqual(
    [second.change?.number, second.change?.branch],
    [first.change?.number, first.change?.branch],
    'the same change',
  );
  assert.notEqual(second.change?.commit, first.change?.commit);
  await world.client.approve(runId, me);
  const end = await world.client.result(runId);
  assert.equal(end.outcome, 'succeeded', end.reason);
  const { cloneUrl } = await world.forge.getRepository('acme/api');
  const git = (...words: string[]) => execa('git', ['--git-dir', cloneUrl, ...words]);
  const branch = second.change?.branch ?? '';
  assert.equal((await git('show', `${branch}:app.py`)).stdout, 'x = three');
  assert.equal((await git('rev-list', '--count', `main..${branch}`)).stdout, '2');
});

test('a message can name one of several open questions by its step, and reaches all of them otherwise', async () => {
  const steps = `
  - id: review
    each: \${{ ['a', 'b', 'c'] }}
    as: item
    do:
      - id: first
        approve: { question: "First \${{ item }}?" }
      - id: second
        approve: { question: "Second \${{ item }}?", who: [ ada ] }
`;
  const runId = await world.start(blueprint('questions', steps));
  const open = await world.until(runId, asks(3));
  assert.deepEqual(open.questions.map(({ id }) => id).toSorted(), [
    'review[0].first',
    'review[1].first',
    'review[2].first',
  ]);
  await assert.rejects(world.client.approve(runId, { ...me, step: 'review[9].first' }), refusal('nothing-to-decide'));
  await world.client.approve(runId, { by: 'ben', step: 'review[1].first' });
  await world.until(runId, ({ questions }) => questions.some(({ id }) => id === 'review[1].second'));
  await assert.rejects(world.client.approve(runId, { by: 'ben', step: 'review[1].second' }), refusal('not-asked'));
  await world.client.approve(runId, me);
  await world.until(runId, ({ questions }) => questions.filter(({ id }) => id.endsWith('.second')).length === 2);
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).outcome, 'succeeded');
});

test('if one item is sent back, only that item is done again', async () => {
  const steps = `
  - id: review
    each: \${{ ['a', 'b'] }}
    as: item
    do:
      - id: mark
        run: [ sh, -c, 'echo "$1" >> marks', sh, "\${{ item }}" ]
      - id: good
        approve: {}
  - id: marks
    run: sort marks | tr '\\n' ' '
  - end: { outcome: succeeded, reason: "\${{ steps.marks.stdout }}" }
`;
  const runId = await world.start(blueprint('one-item', steps));
  await world.until(runId, asks(2));
  await world.client.sendBack(runId, { ...me, step: 'review[1].good', comment: 'again' });
  await world.until(runId, (state) => asks(2)(state) && askedAgain('review[1].good', 2)(state));
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).reason, 'a b b ');
});

test('a rejection in one item ends the run, and with it the questions of the others', async () => {
  const steps = `
  - id: review
    each: \${{ ['a', 'b'] }}
    as: item
    do:
      - id: good
        approve: {}
`;
  const runId = await world.start(blueprint('rejected-item', steps));
  await world.until(runId, asks(2));
  await world.client.reject(runId, { ...me, step: 'review[0].good', comment: 'no' });
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.code, end.step], ['cancelled', 'rejected', 'review[0].good']);
});

test('a run that is cancelled during its last step ends as cancelled, however the step ended', async () => {
  const steps = `
  - id: ask
    prompt: { text: Please say slowly one, answer: ${word} }
  - if: steps.ask.outcome == 'failed'
    run: 'true'
`;
  asked.length = 0;
  released = new Promise((resolve) => (release = resolve));
  const runId = await world.start(blueprint('cancelled-last', steps));
  while (asked.length === 0) await setImmediate();
  await world.client.cancel(runId, me);
  release();
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.code], ['cancelled', 'cancelled']);
  await assert.rejects(world.client.cancel(runId, me), refusal('run-ended'));
});

test('pause, resume and steer reach all agents at work, and steer can name one', async () => {
  const steps = `
  - id: all
    each: \${{ ['a', 'b'] }}
    as: item
    do:
      - id: fix
        agent: { task: "Work slowly on \${{ item }}" }
  - id: after
    run: 'true'
`;
  asked.length = 0;
  released = new Promise((resolve) => (release = resolve));
  const runId = await world.start(blueprint('agents', steps));
  await world.until(runId, ({ steps: rows }) => rows.filter(({ kind }) => kind === 'agent').length === 2);
  await world.client.pause(runId, me);
  await world.client.steer(runId, { ...me, text: 'for everybody' });
  await world.client.steer(runId, { ...me, text: 'for you alone', step: 'all[1].fix' });
  await assert.rejects(
    world.client.steer(runId, { ...me, text: 'x', step: 'all[7].fix' }),
    refusal('nothing-to-steer'),
  );
  const paused = await world.client.describe(runId);
  assert.equal(paused.phase, 'paused');
  release();
  await assert.rejects(
    world.until(runId, () => asked.length > 2, 1000),
    'no agent goes on while the run is paused',
  );
  await world.client.resume(runId, me);
  const end = await world.client.result(runId);
  assert.equal(end.outcome, 'succeeded', end.reason);
  const heard = asked.slice(2).map(({ messages }) => JSON.stringify(messages));
  assert.equal(heard.filter((text) => text.includes('for everybody')).length, 2);
  assert.equal(heard.filter((text) => text.includes('for you alone')).length, 1);
});

test('a tolerated failure is neither done nor shown again when the run continues as a new execution', async () => {
  const steps = `
  - id: items
    run: seq 1 20
    parse: lines
  - id: loop
    each: \${{ steps.items.value }}
    as: item
    tolerate: 10
    do:
      - run: [ sh, -c, 'echo "$1" >> tried; test $(($1 % 2)) = 1', sh, "\${{ item }}" ]
  - id: tried
    run: wc -l < tried
  - end: { outcome: succeeded, reason: "\${{ steps.loop.failed }} \${{ steps.tried.stdout }}" }
`;
  const { end, state, runId } = await quick.run(blueprint('tolerated', steps));
  const { firstRunId, execution } =
    (await quick.client.temporal.workflow.getHandle(runId).describe()).raw.workflowExecutionInfo ?? {};
  assert.notEqual(firstRunId, execution?.runId, 'it went on as a new execution');
  assert.equal(end.reason, '10 20', JSON.stringify(state.steps.slice(-5)));
  assert.deepEqual(
    state.steps.filter(({ path, state: how }) => path === 'loop' && how !== 'succeeded'),
    [],
  );
  assert.equal(state.steps.filter(({ state: how }) => how === 'failed').length, 10);
});

test('a question stays open, with its deadline, when the run continues as a new execution', async () => {
  const steps = `
  - id: items
    run: seq 1 12
    parse: lines
  - id: loop
    each: \${{ steps.items.value }}
    as: item
    at-once: 2
    do:
      - if: item == '1'
        approve: {}
      - run: [ echo, "\${{ item }}" ]
`;
  const runId = await quick.start(blueprint('kept-question', steps));
  const { questions } = await quick.until(runId, asks(1));
  const workflow = quick.client.temporal.workflow.getHandle(runId);
  const first = (await workflow.describe()).raw.workflowExecutionInfo?.firstRunId;
  await quick.until(runId, ({ steps: rows }) => rows.filter(({ path }) => path.endsWith('.run')).length >= 11);
  assert.notEqual((await workflow.describe()).runId, first, 'it went on as a new execution');
  assert.deepEqual((await quick.client.describe(runId)).questions, questions);
  await quick.client.approve(runId, me);
  assert.equal((await quick.client.result(runId)).outcome, 'succeeded');
});

test('a run whose memory can’t be stored ends honestly, with its evidence, and leaves no sandbox', async () => {
  await using broken = await createWorld({
    model,
    config: { runs: { heartbeatTimeoutMs: 1000, continueAfterEvents: 30 } },
  });
  await broken.addRepository('acme/api', { 'a.txt': 'a\n' });
  const { artifacts } = broken.parts;
  const put = artifacts.put.bind(artifacts);
  let refused = 0;
  artifacts.put = async (source, mediaType) => {
    if (source instanceof Uint8Array && Buffer.from(source).includes('sandboxIds')) {
      refused += 1;
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    }
    return put(source, mediaType);
  };
  const steps = `
  - id: items
    run: seq 1 20
    parse: lines
  - each: \${{ steps.items.value }}
    as: item
    do:
      - run: [ echo, "\${{ item }}" ]
`;
  const { end, state } = await broken.run(blueprint('no-store', steps));
  assert.deepEqual([end.outcome, end.code], ['failed', 'memory-lost']);
  assert.match(end.reason, /permission denied/);
  assert.equal(refused, 1);
  assert.ok(state.evidence);
  assert.deepEqual(await broken.parts.sandboxes.listSandboxes(), []);
});
