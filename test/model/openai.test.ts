import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOpenAiModel } from '../../model/openai.ts';
import { startScriptedServer } from '../../model/scripted-server.ts';
import type { ScriptInput } from '../../model/script.ts';
import { ModelFailure, type ModelRequest } from '../../model/contract.ts';

const question: ModelRequest = { key: 'run1/fix/1', messages: [{ role: 'user', content: 'Hello' }] };

async function withModel<T>(
  replies: ScriptInput['replies'],
  act: (model: ReturnType<typeof createOpenAiModel>) => Promise<T>,
  timeoutMs = 5000,
): Promise<T> {
  await using server = await startScriptedServer({ script: 'v1', name: 'gpt-4o-2024-08-06', replies });
  return await act(
    createOpenAiModel({ name: 'gpt-4o-2024-08-06', baseUrl: server.baseUrl, contextTokens: 8192, timeoutMs }),
  );
}

async function failureOf(
  faults: NonNullable<ScriptInput['replies'][number]['faults']>,
  timeoutMs?: number,
): Promise<ModelFailure> {
  return await withModel(
    [{ text: 'late', calls: [{ tool: 'read', arguments: { path: 'a' } }], faults }],
    async (model) => {
      const failure: unknown = await model.ask(question).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert(failure instanceof ModelFailure, String(failure));
      return failure;
    },
    timeoutMs,
  );
}

test('a streamed answer comes back whole, with its calls, usage and cost', async () => {
  const response = await withModel(
    [
      {
        text: 'I read it.',
        calls: [
          { tool: 'read', arguments: { path: 'src/a.py' } },
          { tool: 'read', arguments: { path: 'b' } },
        ],
        usage: { inputTokens: 1000, outputTokens: 100 },
      },
    ],
    (model) => model.ask(question),
  );
  assert.equal(response.content, 'I read it.');
  assert.deepEqual(
    response.toolCalls.map((call) => [call.name, call.arguments]),
    [
      ['read', '{"path":"src/a.py"}'],
      ['read', '{"path":"b"}'],
    ],
  );
  assert.equal(response.stopReason, 'tool-calls');
  assert.deepEqual(response.usage, { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 100, costUsd: 0.0035 });
});

const table: {
  fault: Parameters<typeof failureOf>[0][number];
  kind: ModelFailure['kind'];
  retryable: boolean;
  retryAfterMs?: number;
}[] = [
  {
    fault: { status: 429, headers: { 'retry-after-ms': '1500' } },
    kind: 'rate-limited',
    retryable: true,
    retryAfterMs: 1500,
  },
  {
    fault: { status: 429, headers: { 'retry-after': '2' } },
    kind: 'rate-limited',
    retryable: true,
    retryAfterMs: 2000,
  },
  {
    fault: { status: 429, headers: { 'x-should-retry': 'false', 'retry-after': '2' } },
    kind: 'rate-limited',
    retryable: false,
  },
  {
    fault: { status: 429, body: '{"error":{"message":"quota","code":"insufficient_quota"}}' },
    kind: 'unauthorized',
    retryable: false,
  },
  { fault: { status: 500 }, kind: 'unavailable', retryable: true },
  { fault: { status: 503, headers: { 'retry-after': '1' } }, kind: 'unavailable', retryable: true, retryAfterMs: 1000 },
  { fault: { status: 529 }, kind: 'unavailable', retryable: true },
  { fault: { status: 401 }, kind: 'unauthorized', retryable: false },
  { fault: { status: 403 }, kind: 'unauthorized', retryable: false },
  { fault: { status: 404 }, kind: 'refused', retryable: false },
  { fault: { status: 400 }, kind: 'refused', retryable: false },
  { fault: { status: 400, headers: { 'x-should-retry': 'true' } }, kind: 'refused', retryable: true },
  {
    fault: { status: 400, body: '{"error":{"message":"too long","code":"context_length_exceeded"}}' },
    kind: 'context-too-long',
    retryable: false,
  },
  {
    fault: { status: 400, body: '{"error":{"message":"too long","type":"exceed_context_size_error","code":400}}' },
    kind: 'context-too-long',
    retryable: false,
  },
  { fault: { status: 200, body: '{"error":{"message":"overloaded"}}' }, kind: 'unavailable', retryable: true },
  {
    fault: {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: 'data: {"error":{"message":"overloaded","code":"rate_limit_exceeded"}}\n\n',
    },
    kind: 'rate-limited',
    retryable: true,
  },
  {
    fault: { status: 200, body: `{"error":{"message":"${'long '.repeat(200)}","code":"context_length_exceeded"}}` },
    kind: 'context-too-long',
    retryable: false,
  },
  { fault: { status: 200, body: '{"error":{"message":"no key","code":401}}' }, kind: 'unauthorized', retryable: false },
  {
    fault: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
    kind: 'nonsense',
    retryable: true,
  },
  {
    fault: {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: 'data: {"choices":[{"delta":{"content":5}}]}\n\n',
    },
    kind: 'nonsense',
    retryable: true,
  },
  {
    fault: { status: 200, headers: { 'content-type': 'text/event-stream' }, body: 'data: {"choices":[{"delta":\n\n' },
    kind: 'nonsense',
    retryable: true,
  },
  {
    fault: {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: 'data: {"choices":[{"delta":{"content":"so far"},"finish_reason":"error"}]}\n\n',
    },
    kind: 'cut-off',
    retryable: true,
  },
  { fault: { cut: true }, kind: 'cut-off', retryable: true },
];

for (const { fault, kind, retryable, retryAfterMs } of table) {
  test(`faults 40: ${JSON.stringify(fault).replace(/(long )+/, 'long ')} → ${kind}, ${retryable ? 'retryable' : 'not retryable'}`, async () => {
    const failure = await failureOf([fault]);
    assert.deepEqual(
      [failure.kind, failure.retryable, failure.retryAfterMs],
      [kind, retryable, retryAfterMs],
      failure.message,
    );
  });
}

test('faults 40: a server that never answers is a retryable timeout', async () => {
  const failure = await failureOf([{ hang: true }], 100);
  assert.deepEqual([failure.kind, failure.retryable], ['timeout', true]);
});
