import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ModelFailure, type ModelRequest, type ModelResponse } from '../../model/contract.ts';
import { piece, startOddServer, stop, usage, type OddAnswer } from './odd-server.ts';

const question: ModelRequest = { key: 'run1/fix/1', messages: [{ role: 'user', content: 'Say one.' }] };

async function answerTo(answer: OddAnswer): Promise<ModelResponse> {
  await using server = await startOddServer(() => answer);
  return await server.model.ask(question);
}

async function failureTo(answer: OddAnswer): Promise<ModelFailure> {
  await using server = await startOddServer(() => answer);
  const failure: unknown = await server.model.ask(question).catch((error: unknown) => error);
  assert(failure instanceof ModelFailure, String(failure));
  return failure;
}

const call = (fields: object): object => piece({ tool_calls: [fields] });
const callsOf = ({ toolCalls }: ModelResponse): string[] => toolCalls.map((made) => `${made.name} ${made.arguments}`);

for (const [title, odd] of [
  ['without counts, as SGLang begins', { prompt_tokens_details: { cached_tokens: 0 } }],
  ['without one of the counts, as LiteLLM may send', { prompt_tokens: 50 }],
  ['with counts of zero', { prompt_tokens: 0, completion_tokens: 0 }],
  ['with a count that is no number', { prompt_tokens: 'many', completion_tokens: 10 }],
  ['that is no object', 'unknown'],
] as const)
  test(`usage ${title} counts as none, and is estimated`, async () => {
    const response = await answerTo({ pieces: [{ ...piece({ content: 'ONE' }), usage: odd }, stop()] });
    assert.equal(response.content, 'ONE');
    assert.ok(response.usage.inputTokens > 0 && response.usage.outputTokens > 0);
  });

test('usage is read from a later piece, from the choice, and with DeepSeek’s name for cached tokens', async () => {
  const counts = { prompt_tokens: 70, completion_tokens: 7, prompt_cache_hit_tokens: 60 };
  for (const last of [{ choices: [], usage: counts }, piece({}, { usage: counts })]) {
    const response = await answerTo({ pieces: [{ ...piece({ content: 'ONE' }), usage: {} }, stop(), last] });
    const { inputTokens, cachedInputTokens, outputTokens } = response.usage;
    assert.deepEqual([inputTokens, cachedInputTokens, outputTokens], [70, 60, 7]);
  }
});

test('of a content in parts, the texts count and the thinking does not', async () => {
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] };
  const response = await answerTo({
    pieces: [piece({ content: [thinking] }), piece({ content: [{ type: 'text', text: 'ON' }, 'E'] }), stop()],
  });
  assert.equal(response.content, 'ONE');
  assert.deepEqual(response.extra, { content: [thinking] });
});

test('arguments may be an object', async () => {
  const pieces = [call({ id: 'a', function: { name: 'read', arguments: { path: 'a.txt' } } }), stop('tool_calls')];
  assert.deepEqual(callsOf(await answerTo({ pieces })), ['read {"path":"a.txt"}']);
});

test('the older form of a call is a call', async () => {
  const pieces = [
    piece({ function_call: { name: 'read', arguments: '{"path":' } }),
    piece({ function_call: { arguments: '"a.txt"}' } }),
    stop('function_call'),
  ];
  assert.deepEqual(callsOf(await answerTo({ pieces })), ['read {"path":"a.txt"}']);
});

test('fields that nobody needs may have any form', async () => {
  const pieces = [
    {
      id: 5,
      created: 'now',
      model: 7,
      choices: [{ index: 'first', delta: { role: 3, content: 'ONE' }, logprobs: 'none', finish_reason: 0 }],
    },
    { choices: null },
    {},
    stop(),
  ];
  const response = await answerTo({ pieces });
  assert.deepEqual([response.content, response.model, response.stopReason], ['ONE', 'odd', 'stop']);
});

test('an answer that comes in one piece, from a server that does not stream, is an answer', async () => {
  const message = {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'read', arguments: '{}' } }],
  };
  const response = await answerTo({
    body: {
      model: 'whole',
      choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
      usage: { prompt_tokens: 5, completion_tokens: 1 },
    },
  });
  assert.deepEqual([callsOf(response), response.model, response.usage.inputTokens], [['read {}'], 'whole', 5]);
});

for (const [reason, stopReason] of [
  ['length', 'length'],
  ['MAX_TOKENS', 'length'],
  ['model_length', 'length'],
  ['content_filter', 'content-filter'],
  ['SAFETY', 'content-filter'],
  ['eos', 'stop'],
] as const)
  test(`the finish_reason ${reason} means ${stopReason}`, async () => {
    const response = await answerTo({ pieces: [piece({ content: 'ONE' }), stop(reason)] });
    assert.equal(response.stopReason, stopReason);
  });

for (const reason of ['', 'null', 'error', 'abort', 'insufficient_system_resource'])
  test(`an answer whose finish_reason is ${JSON.stringify(reason)} was cut off, and what it cost is known`, async () => {
    const failure = await failureTo({
      pieces: [piece({ content: 'I have only begun' }, { finish_reason: reason }), usage],
    });
    assert.deepEqual([failure.code, failure.retryable], ['model-cut-off', true]);
    assert.deepEqual([failure.usage?.inputTokens, failure.usage?.outputTokens], [50, 10]);
  });

test('an empty finish_reason in each piece does not hide the last one', async () => {
  const response = await answerTo({
    pieces: [
      piece({ content: 'O' }, { finish_reason: '' }),
      piece({ content: 'NE' }, { finish_reason: 'stop' }),
      piece({}, { finish_reason: '' }),
    ],
  });
  assert.equal(response.content, 'ONE');
});

test('a refusal is kept', async () => {
  const response = await answerTo({
    pieces: [piece({ content: null, refusal: "I can't " }), piece({ refusal: 'do that.' }), stop()],
  });
  assert.deepEqual([response.content, response.refusal], ['', "I can't do that."]);
});

for (const [title, answer, field] of [
  ['a content that is a number', { pieces: [piece({ content: 5 })] }, /choices\[0\]\.delta\.content holds 5/],
  [
    'calls that are no list',
    { pieces: [piece({ tool_calls: 'read' })] },
    /choices\[0\]\.delta\.tool_calls holds "read"/,
  ],
  ['choices that are no list', { pieces: [{ choices: 'one' }] }, /its field choices holds "one"/],
  ['a piece that is no object', { pieces: ['hello'] }, /it holds "hello"/],
  [
    'a page',
    { type: 'text/html', body: '<html>Sign in</html>' },
    /text\/html instead of an event stream: <html>Sign in/,
  ],
  ['JSON without an answer', { body: { status: 'fine' } }, /instead of an event stream: \{"status":"fine"\}/],
] as const)
  test(`${title} is refused with the field and what it holds`, async () => {
    const failure = await failureTo(answer as unknown as OddAnswer);
    assert.equal(failure.code, 'model-nonsense');
    assert.match(failure.message, field);
  });

for (const [title, body, words] of [
  ['OpenAI', { error: { message: 'No such model', code: 'model_not_found' } }, /No such model/],
  ['Ollama', { error: 'model not found' }, /model not found/],
  ['Mistral', { object: 'error', message: 'Bad role', type: 'invalid_request_error', code: '3230' }, /Bad role/],
  [
    'FastAPI',
    { detail: [{ loc: ['body', 'messages', 0], msg: 'Field required', type: 'missing' }] },
    /body\.messages\.0: Field required/,
  ],
  ['Gemini', [{ error: { code: 400, message: 'API key not valid', status: 'INVALID_ARGUMENT' } }], /API key not valid/],
  [
    'OpenRouter',
    { error: { message: 'Provider returned error', code: 400, metadata: { raw: '{"message":"no"}' } } },
    /Provider returned error: \{"message":"no"\}/,
  ],
  ['a proxy', 'upstream is away', /upstream is away/],
] as const)
  test(`the server's own words are shown, in the form of ${title}`, async () => {
    const failure = await failureTo({ status: 400, body });
    assert.equal(failure.code, 'model-refused');
    assert.match(failure.message, words);
  });

for (const message of [
  "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
  'The number of tokens to keep from the initial prompt is greater than the context length',
  'prompt is too long: 210000 tokens > 200000 maximum',
])
  test(`a conversation that is too long is known by these words: ${message}`, async () => {
    assert.equal((await failureTo({ status: 400, body: { error: { message } } })).code, 'model-context-too-long');
  });

test('an error among the pieces is the server’s error, whatever its form', async () => {
  for (const error of [
    { object: 'error', message: 'out of memory', type: 'InternalServerError', code: 500 },
    { error: { message: 'out of memory' } },
    { detail: 'out of memory' },
  ]) {
    const failure = await failureTo({ pieces: [error] });
    assert.deepEqual([failure.code, failure.retryable], ['model-unavailable', true]);
    assert.match(failure.message, /out of memory/);
  }
});

test('a stream that does not say that it is one is read as a stream', async () => {
  const pieces = [piece({ content: 'ONE' }), stop()];
  const body = pieces.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('');
  assert.equal((await answerTo({ type: 'text/plain', body })).content, 'ONE');
});

test('what comes beside an answer in pieces is put together, and what only marks a piece is not', async () => {
  const detail = (more: object): object => ({ type: 'reasoning.text', index: 0, format: 'v1', ...more });
  const response = await answerTo({
    pieces: [
      piece({ channel: 'analysis', reasoning: 'Let ', reasoning_details: [detail({ text: 'Let ' })] }),
      piece({ channel: 'analysis', reasoning: 'me', reasoning_details: [detail({ text: 'me' })] }),
      piece({
        reasoning_details: [detail({ signature: 'SIG' }), { type: 'reasoning.encrypted', index: 1, data: 'x' }],
      }),
      piece({ content: 'ONE', audio: null, annotations: [] }),
      stop(),
    ],
  });
  assert.deepEqual(response.extra, {
    channel: 'analysis',
    reasoning: 'Let me',
    reasoning_details: [
      detail({ text: 'Let me', signature: 'SIG' }),
      { type: 'reasoning.encrypted', index: 1, data: 'x' },
    ],
  });
});

test('a field that outgrows its limit is dropped whole, and the others stay', async () => {
  const long = 'x'.repeat(300_000);
  const pieces = [1, 2, 3, 4].map(() => piece({ reasoning: long }));
  const response = await answerTo({ pieces: [...pieces, piece({ content: 'ONE', signature: 'SIG' }), stop()] });
  assert.deepEqual([response.content, response.extra], ['ONE', { signature: 'SIG' }]);
});
