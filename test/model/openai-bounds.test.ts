import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ModelRequest } from '../../model/contract.ts';
import { maxContentChars } from '../../model/answer-stream.ts';
import { maxArgumentsChars } from '../../model/call-pieces.ts';
import { createOpenAiModel } from '../../model/openai.ts';
import type { ScriptInput } from '../../model/script.ts';
import { startScriptedServer } from '../../model/scripted-server.ts';

const question: ModelRequest = { key: 'run1/fix/1', messages: [{ role: 'user', content: 'Hello' }] };

async function askOnce(
  reply: ScriptInput['replies'][number],
  request: ModelRequest = question,
  options: { name?: string } = {},
) {
  const script: ScriptInput = { script: 'v1', replies: [reply] };
  await using server = await startScriptedServer(script);
  const model = createOpenAiModel({
    name: options.name ?? 'gpt-5-mini',
    baseUrl: server.baseUrl,
    contextTokens: 8192,
    timeoutMs: 20_000,
  });
  const response = await model.ask(request);
  return { response, ledger: server.ledger };
}

test('arguments of 5 MB are kept only up to one character more than a tool accepts', async () => {
  const { response } = await askOnce({
    calls: [{ tool: 'write', arguments: { path: 'a', text: 'x'.repeat(5_000_000) } }],
  });
  assert.equal(response.toolCalls[0]?.arguments.length, maxArgumentsChars + 1);
});

test('a text of 5 MB is kept up to its limit', async () => {
  const { response } = await askOnce({ text: 'x'.repeat(5_000_000) });
  assert.equal(response.content.length, maxContentChars);
});

test('of 1,000 parallel calls the first 256 are kept', async () => {
  const { response } = await askOnce({
    calls: Array.from({ length: 1000 }, (_, index) => ({ tool: 'read', arguments: { path: `f${index}` } })),
  });
  assert.equal(response.toolCalls.length, 256);
});

test('an empty answer is returned, so that the loop can decide', async () => {
  const { response } = await askOnce({ text: '' });
  assert.deepEqual([response.content, response.toolCalls, response.stopReason], ['', [], 'stop']);
});

test('an answer that reached its length says so', async () => {
  const { response } = await askOnce({ text: 'and so on', stopReason: 'length' });
  assert.equal(response.stopReason, 'length');
});

test('a model without a known price costs 0 and says that it is unpriced', async () => {
  const { response } = await askOnce({ text: 'Hi' }, question, { name: 'a-model-of-my-own' });
  assert.deepEqual([response.usage.costUsd, response.usage.unpriced], [0, true]);
});

test("a request has the key as its idempotency key, the tools and the answer's schema, and asks for the usage", async () => {
  const { ledger } = await askOnce(
    { text: '{}' },
    {
      key: 'run1/fix/1',
      messages: [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'U' },
        { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'read', arguments: '{"path":"a"}' }] },
        { role: 'tool', toolCallId: 'c1', content: 'text' },
      ],
      tools: [{ name: 'read', description: 'Reads', parameters: { type: 'object' } }],
      answer: { name: 'answer', schema: { type: 'object' } },
    },
  );
  assert.equal(ledger[0]?.key, 'run1/fix/1');
  assert.deepEqual(ledger[0]?.request, {
    model: 'gpt-5-mini',
    messages: [
      { role: 'system', content: 'S' },
      { role: 'user', content: 'U' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'text' },
    ],
    stream: true,
    stream_options: { include_usage: true },
    tools: [{ type: 'function', function: { name: 'read', description: 'Reads', parameters: { type: 'object' } } }],
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
    max_tokens: 2048,
  });
});

test("an abort ends a question at once, with the abort's reason", async () => {
  await using server = await startScriptedServer({ script: 'v1', replies: [{ faults: [{ hang: true }] }] });
  const model = createOpenAiModel({ name: 'm', baseUrl: server.baseUrl, contextTokens: 8192, timeoutMs: 20_000 });
  const reason = new Error('the run was cancelled');
  const controller = new AbortController();
  const asked = model.ask(question, controller.signal);
  controller.abort(reason);
  await assert.rejects(asked, reason);
});

test('a server that cannot be reached is a retryable failure', async () => {
  const server = await startScriptedServer({ script: 'v1', replies: [] });
  await server.close();
  const model = createOpenAiModel({ name: 'm', baseUrl: server.baseUrl, contextTokens: 8192, timeoutMs: 2000 });
  await assert.rejects(model.ask(question), { name: 'ModelFailure', code: 'model-unavailable', retryable: true });
});
