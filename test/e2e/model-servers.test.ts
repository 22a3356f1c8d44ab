import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { chooseModel } from '../../model/choose-model.ts';
import type { Model } from '../../model/contract.ts';
import {
  piece,
  says,
  startOddServer,
  stop,
  usage,
  type OddAnswer,
  type OddRequest,
  type OddServer,
} from '../model/odd-server.ts';
import { createWorld, type World } from './harness.ts';

let answer: (request: OddRequest, asked: number) => OddAnswer;
let server: OddServer;
let world: World;
let protocol: Model['protocol'] = 'native';

beforeAll(async () => {
  server = await startOddServer((request, asked) => answer(request, asked - askedBefore));
  const models = new Map((['native', 'text'] as const).map((each) => [each, modelFor(each)]));
  const current = (): Model => models.get(protocol === 'text' ? 'text' : 'native') ?? server.model;
  const model: Model = {
    ...server.model,
    get protocol() {
      return protocol;
    },
    ask: (request, signal) => current().ask(request, signal),
  };
  world = await createWorld({ model });
  await world.addRepository('acme/api', { 'a.txt': 'one\n' });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function modelFor(each: Model['protocol']): Model {
  return chooseModel({
    env: { OPENAI_BASE_URL: server.baseUrl, JIG_MODEL: 'odd', JIG_MODEL_PROTOCOL: each === 'text' ? each : 'auto' },
  });
}

let askedBefore = 0;

/** Runs one step. Returns how the run ended, and what the server was asked. */
async function run(step: string, answers: typeof answer) {
  askedBefore = server.requests.length;
  answer = answers;
  const ended = await world.run(`blueprint: v1\nname: odd\nsteps:\n${step}`);
  return { ...ended, requests: server.requests.slice(askedBefore) };
}

const agent = `  - id: fix
    agent: { task: Write one in a.txt in capitals., tools: [ read, edit, write ], turns: 6 }
    verify: [ grep -q ONE a.txt ]
    attempts: 1
`;
const prompt = `  - id: ask
    prompt: { text: Say one in capitals., answer: { type: object, properties: { word: { type: string } }, required: [ word ] } }
`;
const edit = { path: 'a.txt', old: 'one', new: 'ONE' };
const edits = piece({
  tool_calls: [{ index: 0, id: 'k', function: { name: 'edit', arguments: JSON.stringify(edit) } }],
});
const answersOf = ({ messages }: OddRequest): number => messages.filter(({ role }) => role === 'assistant').length;

test('an agent that answers nothing is asked again, without an empty message, and all of its answers are counted', async () => {
  const { end, state, requests } = await run(agent, (request) =>
    answersOf(request) === 0
      ? { pieces: [piece({ content: '', reasoning: 'all of it thought' }), stop(), usage] }
      : answersOf(request) === 1
        ? { pieces: [edits, stop('tool_calls'), usage] }
        : says('Done.'),
  );
  assert.equal(end.outcome, 'succeeded', end.reason);
  assert.deepEqual([state.usage.inputTokens, state.usage.outputTokens], [150, 30]);
  for (const { messages } of requests)
    for (const message of messages) assert.ok(message.content || message['tool_calls'], JSON.stringify(message));
});

test('what an agent has spent counts although the model fails after that', async () => {
  const { end, state } = await run(agent, (request) =>
    answersOf(request) === 0
      ? { pieces: [edits, stop('tool_calls'), usage] }
      : { status: 400, body: { error: { message: 'I take no second question' } } },
  );
  assert.deepEqual([end.code, end.step], ['model-refused', 'fix']);
  assert.match(end.reason, /I take no second question/);
  assert.deepEqual([state.usage.inputTokens, state.usage.outputTokens], [50, 10]);
  assert.equal(state.steps.find(({ path }) => path === 'fix')?.usage?.inputTokens, 50);
});

test('answers that broke off count with the one that came whole', async () => {
  const { end, state, requests } = await run(prompt, (_request, asked) =>
    asked < 3 ? { pieces: [piece({ content: '{"wo' }, { finish_reason: '' }), usage] } : says('{"word":"ONE"}'),
  );
  assert.equal(end.outcome, 'succeeded', end.reason);
  assert.equal(requests.length, 3);
  assert.deepEqual([state.usage.inputTokens, state.usage.outputTokens], [150, 30]);
});

test('answers that can not be read end the step soon, with the field, and what they cost', async () => {
  const { end, state, requests } = await run(prompt, () => ({
    pieces: [piece({ content: 'Hm' }), usage, piece({ content: { odd: true } })],
  }));
  assert.equal(end.code, 'model-nonsense');
  assert.match(end.reason, /choices\[0\]\.delta\.content holds \{"odd":true\}/);
  assert.equal(requests.length, 2);
  assert.equal(state.usage.inputTokens, 100);
  assert.equal(state.steps.find(({ path }) => path === 'ask')?.usage?.inputTokens, 100);
});

test('a refusal is shown when a prompt fails for it', async () => {
  const { end, state } = await run(prompt, () => ({
    pieces: [piece({ content: null, refusal: "I can't help with that." }), stop(), usage],
  }));
  assert.equal(end.code, 'unusable-answers');
  assert.match(end.reason, /I can't help with that\./);
  assert.equal(state.steps.find(({ path }) => path === 'ask')?.usage?.inputTokens, 150);
});

test('a prompt asks for nothing but text where the protocol is text', async () => {
  protocol = 'text';
  try {
    const { end, requests } = await run(prompt, () => says('Here it is:\n```json\n{"word":"ONE"}\n```'));
    assert.equal(end.outcome, 'succeeded', end.reason);
    assert.equal(requests[0]?.['response_format'], undefined);
  } finally {
    protocol = 'native';
  }
});

test('whoever looks at a run sees why it asks a model again, and when', async () => {
  for (const [step, activity] of [
    [prompt, 'askPrompt'],
    [agent, 'askAgent'],
  ] as const) {
    answer = () => ({ status: 503, body: { error: 'the model is being loaded' } });
    const runId = await world.start(`blueprint: v1\nname: odd\nsteps:\n${step}`);
    const { retries } = await world.until(runId, (state) => state.retries !== undefined);
    assert.equal(retries?.[0]?.activity, activity);
    assert.match(retries?.[0]?.message ?? '', /status 503: the model is being loaded/);
    await world.client.cancel(runId, { by: 'tester' });
    await world.client.result(runId);
  }
});

test('an agent whose server takes no tools works with constrained JSON, where nobody chose a protocol', async () => {
  protocol = 'native';
  const { end, requests } = await run(agent, (request) => {
    if ('tools' in request) return { status: 400, body: { error: { message: 'gemma does not support tools' } } };
    const action =
      answersOf(request) === 0
        ? { tool: 'edit', arguments: edit }
        : { tool: 'done', arguments: { summary: 'It is ONE.' } };
    return says(JSON.stringify(action));
  });
  assert.equal(end.outcome, 'succeeded', end.reason);
  assert.deepEqual(
    requests.map((request) => ('tools' in request ? 'tools' : 'text')),
    ['tools', 'text', 'text'],
  );
});
