import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Message, ModelRequest } from '../../model/contract.ts';
import { commonDialect } from '../../model/dialect.ts';
import { says, startOddServer, type OddAnswer, type OddRequest } from './odd-server.ts';

const question: ModelRequest = {
  key: 'run1/fix/1',
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Say one.' },
  ],
};
const withAnswer: ModelRequest = { ...question, answer: { name: 'answer', schema: { type: 'object' } } };

const refuses = (message: string, more: object = {}, status = 400): OddAnswer => ({
  status,
  body: { error: { message, ...more } },
});

/** Asks twice, and returns the requests that the server got. The last of them was the only one of the second time. */
async function negotiate(
  refuse: (request: OddRequest) => OddAnswer | undefined,
  request = question,
  options = {},
): Promise<OddRequest[]> {
  await using server = await startOddServer((asked) => refuse(asked) ?? says('ONE'), options);
  assert.equal((await server.model.ask(request)).content, 'ONE');
  const before = server.requests.length;
  await server.model.ask(request);
  assert.equal(server.requests.length, before + 1, 'what was learnt is remembered');
  return server.requests;
}

for (const [title, refuse] of [
  [
    'OpenAI and Azure name the parameter',
    refuses(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      { param: 'max_tokens' },
    ),
  ],
  ['only the other name is said', refuses('Please use max_completion_tokens')],
  ['only the param names it', refuses('Unsupported parameter', { param: 'max_tokens' })],
  [
    'a framework lists the field',
    { status: 422, body: { detail: [{ loc: ['body', 'max_tokens'], msg: 'Extra inputs are not permitted' }] } },
  ],
] as const)
  test(`max_tokens that is refused becomes max_completion_tokens, where ${title}`, async () => {
    const requests = await negotiate((request) => ('max_tokens' in request ? refuse : undefined));
    assert.equal(requests.at(-1)?.['max_completion_tokens'], 2048);
    assert.equal(requests.length, 3);
  });

test('max_completion_tokens that is refused becomes max_tokens, and a server that takes neither gets none', async () => {
  const dialect = { answerLimits: commonDialect.answerLimits.toReversed() };
  const old = await negotiate(
    (request) => ('max_completion_tokens' in request ? refuses('Unknown field: max_completion_tokens') : undefined),
    question,
    { dialect },
  );
  assert.equal(old.at(-1)?.['max_tokens'], 2048);
  const neither = await negotiate((request) => {
    const name = ['max_completion_tokens', 'max_tokens'].find((limit) => limit in request);
    return name === undefined ? undefined : refuses(`${name} is not allowed`);
  });
  assert.equal(neither.length, 4);
});

test('a limit that is too large for the model is left out', async () => {
  const requests = await negotiate((request) =>
    'max_tokens' in request ? refuses('max_tokens must be less than or equal to 1024') : undefined,
  );
  assert.equal(requests.length, 3);
});

const formatOf = (request: OddRequest | undefined): unknown =>
  (request?.['response_format'] as { type?: string } | undefined)?.type;

for (const [accepted, formats] of [
  ['json_object', ['json_schema', 'json_object', 'json_object']],
  [undefined, ['json_schema', 'json_object', undefined, undefined]],
] as const)
  test(`an answer's schema is asked for as ${accepted ?? 'text'} where the server takes nothing better`, async () => {
    const requests = await negotiate(
      (request) =>
        formatOf(request) === accepted ? undefined : refuses('This response_format type is unavailable now'),
      withAnswer,
    );
    assert.deepEqual(requests.map(formatOf), formats);
  });

test('a schema that one question is refused for does not change the next question', async () => {
  await using server = await startOddServer((request) =>
    JSON.stringify(request).includes('"odd":') ? refuses("Invalid schema for response_format 'answer'") : says('ONE'),
  );
  await server.model.ask({ ...question, answer: { name: 'answer', schema: { odd: true } } });
  await server.model.ask(withAnswer);
  assert.deepEqual(server.requests.map(formatOf), ['json_schema', 'json_object', 'json_schema']);
});

test('stream_options, the temperature and the stream itself are left out where they are refused', async () => {
  const requests = await negotiate(
    (request) => {
      if ('stream_options' in request) return refuses('Unrecognized request argument supplied: stream_options');
      if ('temperature' in request)
        return refuses("Unsupported value: 'temperature' does not support 0 with this model.", {
          param: 'temperature',
        });
      if (request['stream'])
        return refuses('Your organization must be verified to stream this model.', {
          param: 'stream',
          code: 'unsupported_value',
        });
      return { body: { choices: [{ message: { role: 'assistant', content: 'ONE' }, finish_reason: 'stop' }] } };
    },
    question,
    { temperature: 0 },
  );
  assert.deepEqual(Object.keys(requests.at(-1) ?? {}).toSorted(), ['max_tokens', 'messages', 'model']);
});

test('what is learnt about one model of a server says nothing about another', async () => {
  await using server = await startOddServer((request) =>
    request.model === 'new' && 'max_tokens' in request ? refuses('max_tokens is not supported') : says('ONE'),
  );
  await server.model.ask({ ...question, model: 'new' });
  await server.model.ask({ ...question, model: 'old' });
  assert.deepEqual(
    server.requests.map((request) => 'max_tokens' in request),
    [true, false, true],
  );
});

test('a refusal that names nothing which can be left out is asked once', async () => {
  await using server = await startOddServer(() =>
    refuses('The model `odd` does not exist', { code: 'model_not_found' }, 404),
  );
  await assert.rejects(server.model.ask(withAnswer), { code: 'model-refused', retryable: false });
  assert.equal(server.requests.length, 1);
});

const conversation: Message[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Fix it.' },
  {
    role: 'assistant',
    content: '',
    extra: { reasoning_content: 'Let me see', reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }] },
    toolCalls: [
      { id: 'c1', name: 'read', arguments: '{}', extra: { extra_content: { google: { thought_signature: 'SIG' } } } },
      { id: 'c2', name: 'read', arguments: '{}' },
    ],
  },
  { role: 'tool', toolCallId: 'c1', content: 'one' },
  { role: 'tool', toolCallId: 'c2', content: '' },
  { role: 'user', content: 'A reviewer says: go on.' },
  { role: 'user', content: 'And hurry.' },
  { role: 'assistant', content: '', toolCalls: [] },
  { role: 'user', content: '' },
];
const talk: ModelRequest = { key: 'run1/fix/2', messages: conversation };

const rolesOf = (request: OddRequest | undefined): string[] => (request?.messages ?? []).map(({ role }) => role);

test('what a server sent beside an answer goes back as it came', async () => {
  const [request] = await negotiate(() => undefined, talk);
  const answered = request?.messages[2];
  assert.equal(answered?.['reasoning_content'], 'Let me see');
  assert.deepEqual(answered?.['reasoning_details'], [{ type: 'reasoning.encrypted', data: 'x' }]);
  assert.match(JSON.stringify(answered?.['tool_calls']), /"extra_content":\{"google":\{"thought_signature":"SIG"\}\}/);
});

test('a field that a server does not want back stays away, and the others go on', async () => {
  const requests = await negotiate(
    (request) =>
      JSON.stringify(request).includes('reasoning_content')
        ? refuses("property 'reasoning_content' is unsupported")
        : undefined,
    talk,
  );
  assert.deepEqual(requests.at(-1)?.messages[2]?.['reasoning_details'], [{ type: 'reasoning.encrypted', data: 'x' }]);
});

test('a field that a server misses is not left out', async () => {
  await using server = await startOddServer(() =>
    refuses('The `reasoning_content` in the thinking mode must be passed back to the API.'),
  );
  await assert.rejects(server.model.ask(talk), { code: 'model-refused', message: /must be passed back/ });
  assert.equal(server.requests.length, 1);
});

test('thinking in parts goes back in front of the text', async () => {
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] };
  const messages: Message[] = [
    { role: 'user', content: 'Say one.' },
    { role: 'assistant', content: 'ONE', toolCalls: [], extra: { content: [thinking] } },
    { role: 'user', content: 'Again.' },
  ];
  const [request] = await negotiate(() => undefined, { key: 'run1/fix/2', messages });
  assert.deepEqual(request?.messages[1]?.content, [thinking, { type: 'text', text: 'ONE' }]);
});

test('no message without a text and calls is sent, and users who speak one after the other speak once', async () => {
  const [request] = await negotiate(() => undefined, talk);
  assert.deepEqual(rolesOf(request), ['system', 'user', 'assistant', 'tool', 'tool', 'user', 'assistant', 'user']);
  for (const message of request?.messages ?? [])
    assert.ok(message.content || message['tool_calls'], JSON.stringify(message));
  assert.equal(request?.messages[5]?.content, 'A reviewer says: go on.\n\nAnd hurry.');
});

test('the model speaks between a tool and a user where a server wants that', async () => {
  const requests = await negotiate(
    (request) =>
      rolesOf(request).some((role, index, roles) => role === 'user' && roles[index - 1] === 'tool')
        ? {
            status: 400,
            body: {
              object: 'error',
              message: "Unexpected role 'user' after role 'tool'",
              type: 'invalid_request_message_order',
              code: '3230',
            },
          }
        : undefined,
    talk,
  );
  assert.deepEqual(rolesOf(requests.at(-1)), [
    'system',
    'user',
    'assistant',
    'tool',
    'tool',
    'assistant',
    'user',
    'assistant',
    'user',
  ]);
});

test('each call has a message of its own where a chat template holds one', async () => {
  const tools = [{ name: 'read', description: 'Reads', parameters: { type: 'object' } }];
  const requests = await negotiate(
    (request) => {
      if (request.messages.some(({ tool_calls: calls }) => Array.isArray(calls) && calls.length > 1))
        return refuses('This model only supports single tool-calls at once!', {}, 500);
      return 'parallel_tool_calls' in request ? refuses('Unknown parameter: parallel_tool_calls') : undefined;
    },
    { ...talk, tools },
  );
  assert.deepEqual(rolesOf(requests.at(-1)).slice(2, 6), ['assistant', 'tool', 'assistant', 'tool']);
  assert.equal(requests[1]?.['parallel_tool_calls'], false);
  assert.equal(requests.at(-1)?.['parallel_tool_calls'], undefined);
});

test('the system prompt begins the first user message where a model knows no system role', async () => {
  const requests = await negotiate((request) =>
    rolesOf(request).includes('system') ? refuses('System role not supported', {}, 500) : undefined,
  );
  assert.deepEqual(requests.at(-1)?.messages, [{ role: 'user', content: 'Be brief.\n\nSay one.' }]);
});

for (const message of [
  'registry.ollama.ai/library/gemma:2b does not support tools',
  '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
  'tools param requires --jinja flag',
  'No endpoints found that support tool use.',
])
  test(`a server without tools is known by these words, and asked once: ${message}`, async () => {
    await using server = await startOddServer(() => refuses(message));
    const tools = [{ name: 'read', description: 'Reads', parameters: { type: 'object' } }];
    for (const _ of [1, 2])
      await assert.rejects(server.model.ask({ ...question, tools }), { code: 'model-refused', refusesTools: true });
    assert.equal(server.requests.length, 1);
  });
