import assert from 'node:assert/strict';
import { test } from 'vitest';
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

test('a streamed answer is returned as a whole, with its calls, usage and cost', async () => {
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
  code: ModelFailure['code'];
  retryable: boolean;
  retryAfterMs?: number;
}[] = [
  {
    fault: { status: 429, headers: { 'retry-after-ms': '1500' } },
    code: 'model-rate-limited',
    retryable: true,
    retryAfterMs: 1500,
  },
  {
    fault: { status: 429, headers: { 'retry-after': '2' } },
    code: 'model-rate-limited',
    retryable: true,
    retryAfterMs: 2000,
  },
  {
    fault: { status: 429, headers: { 'x-should-retry': 'false', 'retry-after': '2' } },
    code: 'model-rate-limited',
    retryable: false,
  },
  {
    fault: { status: 429, body: '{"error":{"message":"quota","code":"insufficient_quota"}}' },
    code: 'model-unauthorized',
    retryable: false,
  },
  { fault: { status: 500 }, code: 'model-unavailable', retryable: true },
  {
    fault: { status: 503, headers: { 'retry-after': '1' } },
    code: 'model-unavailable',
    retryable: true,
    retryAfterMs: 1000,
  },
  { fault: { status: 529 }, code: 'model-unavailable', retryable: true },
  { fault: { status: 401 }, code: 'model-unauthorized', retryable: false },
  { fault: { status: 403 }, code: 'model-unauthorized', retryable: false },
  { fault: { status: 404 }, code: 'model-refused', retryable: false },
  { fault: { status: 400 }, code: 'model-refused', retryable: false },
  { fault: { status: 400, headers: { 'x-should-retry': 'true' } }, code: 'model-refused', retryable: true },
  {
    fault: { status: 400, body: '{"error":{"message":"too long","code":"context_length_exceeded"}}' },
    code: 'model-context-too-long',
    retryable: false,
  },
  {
    fault: { status: 400, body: '{"error":{"message":"too long","type":"exceed_context_size_error","code":400}}' },
    code: 'model-context-too-long',
    retryable: false,
  },
  { fault: { status: 200, body: '{"error":{"message":"overloaded"}}' }, code: 'model-unavailable', retryable: true },
  {
    fault: {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: 'data: {"error":{"message":"overloaded","code":"rate_limit_exceeded"}}\n\n',
    },
    code: 'model-rate-limited',
    retryable: true,
  },
  {
    fault: { status: 200, body: `{"error":{"message":"${'long '.repeat(200)}","code":"context_length_exceeded"}}` },
    code: 'model-context-too-long',
    retryable: false,
  },
  {
    fault: { status: 200, body: '{"error":{"message":"no key","code":401}}' },
    code: 'model-unauthorized',
    retryable: false,
  },
  {
    fault: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
    code: 'model-nonsense',
    retryable: true,
  },
  {
    fault: {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: 'data: {"choices":[{"delta":{"content":5}}]}\n\n',
    },
    code: 'model-nonsense',
    retryable: true,
  },
  {
    fault: { status: 200, headers: { 'content-type': 'text/event-stream' }, body: 'data: {"choices":[{"delta":\n\n' },
    code: 'model-nonsense',
    retryable: true,
  },
  {
    fault: {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: 'data: {"choices":[{"delta":{"content":"so far"},"finish_reason":"error"}]}\n\n',
    },
    code: 'model-cut-off',
    retryable: true,
  },
  { fault: { cut: true }, code: 'model-cut-off', retryable: true },
];

for (const { fault, code, retryable, retryAfterMs } of table) {
  test(`${JSON.stringify(fault).replace(/(long )+/, 'long ')} → ${code}, ${retryable ? 'retryable' : 'not retryable'}`, async () => {
    const failure = await failureOf([fault]);
    assert.deepEqual(
      [failure.code, failure.retryable, failure.retryAfterMs],
      [code, retryable, retryAfterMs],
      failure.message,
    );
  });
}

test('a server that never answers is a retryable timeout', async () => {
  const failure = await failureOf([{ hang: true }], 100);
  assert.deepEqual([failure.code, failure.retryable], ['model-timeout', true]);
});
