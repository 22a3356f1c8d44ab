import assert from 'node:assert/strict';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { JigError } from '../../base/errors.ts';
import type { Model, ModelRequest } from '../../model/contract.ts';
import type { RunState } from '../../workflows/messages.ts';
import { createWorld, type World } from './harness.ts';

const me = { by: 'ada' };
const blueprint = (name: string, steps: string): string => `blueprint: v1\nname: ${name}\nsteps:\n${steps}`;
const word = '{ type: object, properties: { word: { type: string } }, required: [ word ] }';

let release: () => void = () => undefined;
let released: Promise<void> = Promise.resolve();

const asked: ModelRequest[] = [];
/** Says the word that it was told last. An agent's turns never end. */
const model: Model = {
  source: 'scripted',
  name: 'by-hand',
  protocol: 'native',
  contextTokens: 100_000,
  answerTokens: 4000,
  isPriced: () => true,
  async ask(request) {
    const { messages, answer, key } = request;
    asked.push(request);
    const said = /say (\w+)/.exec(messages.at(-1)?.content ?? '')?.[1] ?? '';
    if (!answer) await released;
    return {
      model: 'by-hand',
      content: answer ? JSON.stringify({ word: said }) : '',
      toolCalls: answer ? [] : [{ id: 'c1', name: 'shell', arguments: JSON.stringify({ command: `echo ${key}` }) }],
      stopReason: answer ? 'stop' : 'tool-calls',
      usage: { inputTokens: 10, cachedInputTokens: 0, outputTokens: 1, costUsd: 0 },
    };
  },
};

let world: World;
/** The keys of commands, where they are written down. */
let commands: string[] | undefined;
beforeAll(async () => {
  world = await createWorld({ model, config: { runs: { heartbeatTimeoutMs: 1000, humanWaitMs: 2000 } } });
  await world.addRepository('acme/api', { 'words.txt': 'one\ntwo\nthree\nfour\n' });
  const { sandboxes } = world.parts;
  const getSandbox = sandboxes.getSandbox.bind(sandboxes);
  sandboxes.getSandbox = async (ref) => {
    const sandbox = await getSandbox(ref);
    return {
      ...sandbox,
      async run(spec, options) {
        commands?.push(spec.key);
        if (commands) await wait(200);
        return sandbox.run(spec, options);
      },
    };
  };
});
afterEach(() => {
  commands = undefined;
  asked.length = 0;
});
afterAll(async () => {
  release();
  await world[Symbol.asyncDispose]();
});

const isAsked =
  (path: string, times: number) =>
  ({ questions, steps }: RunState): boolean =>
    questions.some(({ id }) => id === path) && steps.filter((row) => row.path === path).length === times;

test('a baseline that is taken again after a send-back excuses nothing that the run itself broke', async () => {
  const steps = `
  - id: before
    check: [ "test ! -e broken" ]
    gate: baseline
  - id: work
    run: touch broken
  - id: good
    approve: {}
  - check: [ "test ! -e broken" ]
`;
  const runId = await world.start(blueprint('baseline', steps));
  await world.until(runId, isAsked('good', 1));
  await world.client.sendBack(runId, { ...me, to: 'before', comment: 'again' });
  await world.until(runId, isAsked('good', 2));
  await world.client.approve(runId, me);
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.code], ['failed', 'check-failed'], end.reason);
});

test('a baseline that is done again with other words excuses nothing either', async () => {
  const steps = `
  - id: ask
    prompt: { text: Please say two, answer: ${word} }
  - id: before
    check: [ [ test, "!", -e, "\${{ steps.ask.value.word }}" ] ]
    gate: baseline
  - id: work
    run: touch six
  - id: good
    approve: {}
  - check: [ [ test, "!", -e, "\${{ steps.ask.value.word }}" ] ]
`;
  const runId = await world.start(blueprint('other-baseline', steps));
  await world.until(runId, isAsked('good', 1));
  await world.client.sendBack(runId, { ...me, to: 'ask', comment: 'say six' });
  await world.until(runId, isAsked('good', 2));
  await world.client.approve(runId, me);
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.code], ['failed', 'check-failed'], end.reason);
});

test('a check that is done again with other words gates the change by those alone', async () => {
  const steps = `
  - id: ask
    prompt: { text: Please say two, answer: ${word} }
  - id: work
    run: [ sh, -c, 'echo "$1" > word.txt', sh, "\${{ steps.ask.value.word }}" ]
  - check: [ [ grep, -q, "\${{ steps.ask.value.word }}", word.txt ] ]
  - id: good
    approve: {}
  - change: { title: A word }
`;
  const runId = await world.start(blueprint('gates', steps));
  await world.until(runId, isAsked('good', 1));
  await world.client.sendBack(runId, { ...me, to: 'ask', comment: 'say six' });
  await world.until(runId, isAsked('good', 2));
  await world.client.approve(runId, me);
  const end = await world.client.result(runId);
  assert.equal(end.outcome, 'succeeded', end.reason);
});

test('a question has its own rounds, however often a later one sends the work back over it', async () => {
  const steps = `
  - id: work
    run: 'true'
  - id: first
    approve: { rounds: 1 }
  - id: second
    approve: { rounds: 2 }
`;
  const runId = await world.start(blueprint('rounds', steps));
  const approveFirst = async (time: number) => {
    await world.until(runId, isAsked('first', time));
    await world.client.approve(runId, me);
  };
  await approveFirst(1);
  await world.until(runId, isAsked('second', 1));
  await world.client.sendBack(runId, { ...me, to: 'work', comment: 'again' });
  await world.until(runId, isAsked('first', 2));
  await world.client.sendBack(runId, { ...me, comment: 'my own' });
  await world.until(runId, isAsked('first', 3));
  await assert.rejects(
    world.client.sendBack(runId, { ...me, comment: 'too often' }),
    (error) => error instanceof JigError && error.code === 'cannot-send-back',
  );
  await approveFirst(3);
  await world.until(runId, isAsked('second', 2));
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).outcome, 'succeeded');
});

test('an edit is undone before or after the edits of other items, never while they are made', async () => {
  const steps = `
  - id: all
    each: \${{ ['one', 'two'] }}
    as: item
    at-once: 2
    do:
      - id: first
        edit: { path: words.txt, old: "\${{ item }}", new: "<\${{ item }}>" }
      - id: good
        approve: {}
      - id: second
        edit: { path: words.txt, old: "<\${{ item }}>", new: "[\${{ item }}]" }
  - id: result
    run: tr '\\n' ' ' < words.txt
  - end: { outcome: succeeded, reason: "\${{ steps.result.stdout }}" }
`;
  const runId = await world.start(blueprint('undone-beside', steps));
  await world.until(runId, ({ questions }) => questions.length === 2);
  const made: string[] = (commands = []);
  await Promise.all([
    world.client.sendBack(runId, { ...me, step: 'all[0].good', to: 'first', comment: 'again' }),
    world.client.approve(runId, { ...me, step: 'all[1].good' }),
  ]);
  await world.until(runId, isAsked('all[0].good', 2));
  commands = undefined;
  const ofEdits = made.map((key) => /^(?:.*\/undo\/\d+|[^/]+)/.exec(key)?.[0] ?? key);
  const turns = ofEdits.filter((key, index) => key !== ofEdits[index - 1]);
  assert.deepEqual(turns.toSorted(), [...new Set(turns)].toSorted(), made.join(' '));
  assert.ok(turns.length >= 3, made.join(' '));
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).reason, '[one] [two] three four ');
});

test('a pause that nobody ends in time ends the run, whatever failures a block tolerates', async () => {
  released = new Promise((resolve) => (release = resolve));
  const steps = `
  - id: all
    each: \${{ ['a'] }}
    as: item
    tolerate: 1
    do:
      - id: fix
        agent: { task: "Work on \${{ item }}" }
`;
  const runId = await world.start(blueprint('pause-expires', steps));
  await world.until(runId, ({ steps: rows }) => rows.some(({ kind }) => kind === 'agent'));
  await world.client.pause(runId, me);
  release();
  const end = await world.client.result(runId);
  assert.deepEqual([end.outcome, end.code, end.step], ['needs-human', 'pause-expired', 'all[0].fix'], end.reason);
});

test('words that an agent had no turn left to hear are said where its conversation goes on', async () => {
  released = new Promise((resolve) => (release = resolve));
  const steps = `
  - id: all
    each: \${{ ['a'] }}
    as: item
    tolerate: 1
    do:
      - id: fix
        agent: { task: Work, turns: 1 }
  - id: good
    approve: {}
`;
  const runId = await world.start(blueprint('unheard', steps));
  while (asked.length === 0) await setImmediate();
  await world.client.steer(runId, { ...me, text: 'mind the tabs' });
  release();
  await world.until(runId, isAsked('good', 1));
  await world.client.sendBack(runId, { ...me, comment: 'again' });
  await world.until(runId, isAsked('good', 2));
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).outcome, 'succeeded');
  const [, again] = asked;
  const said = again?.messages.map(({ content }) => content) ?? [];
  const told = said.findIndex((text) => text.includes('mind the tabs'));
  assert.ok(told >= 0 && told < said.findIndex((text) => text.includes('again')), said.join('\n'));
});

test('a conversation about an item does not go on where that place of the list has another item', async () => {
  const steps = `
  - id: outer
    each: \${{ ['m'] }}
    as: module
    do:
      - id: list
        run: cat words.txt; sed -i 1d words.txt
        parse: lines
      - id: inner
        each: \${{ steps.list.value }}
        as: word
        do:
          - id: ask
            prompt: { text: "Please say \${{ word }}", answer: ${word} }
  - id: good
    approve: {}
`;
  const runId = await world.start(blueprint('other-items', steps));
  await world.until(runId, isAsked('good', 1));
  await world.client.sendBack(runId, { ...me, to: 'outer', comment: 'politely' });
  await world.until(runId, isAsked('good', 2));
  await world.client.approve(runId, me);
  assert.equal((await world.client.result(runId)).outcome, 'succeeded');
  assert.equal(asked.length, 7);
  for (const { messages } of asked.slice(4)) {
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['system', 'user'],
    );
    assert.match(messages.at(-1)?.content ?? '', /Please say \w+[^]*politely/);
  }
});
