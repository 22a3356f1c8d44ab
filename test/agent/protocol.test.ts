import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { decodeAnswer, encodeQuestion, toAssistantMessage, type DecodedAnswer } from '../../agent/protocol.ts';
import {
  refusedAnswerFeedback,
  refusedChangeFeedback,
  systemPrompt,
  tooLongAnswerFeedback,
} from '../../agent/prompts.ts';
import { summariseAnswer } from '../../agent/summarise-answer.ts';
import { agentTools, type AgentTool } from '../../blueprints/kinds/agent.ts';
import type { Message } from '../../model/contract.ts';

const tools: AgentTool[] = ['read', 'edit', 'shell'];

function decode(
  protocol: 'native' | 'json' | 'text',
  content: string,
  stopReason: 'stop' | 'length' | 'content-filter' = 'stop',
): DecodedAnswer {
  return decodeAnswer(protocol, { content, toolCalls: [], stopReason }, tools, 1);
}

const fenced = 'I look at it.\n```json\n{"name": "read", "arguments": {"path": "a.py"}}\n```';
const readCall = [{ id: 'c00010001', name: 'read', arguments: '{"path":"a.py"}' }];

const understood: { title: string; protocol: 'native' | 'json' | 'text'; content: string; expected: DecodedAnswer }[] =
  [
    {
      title: 'a call in a code fence, as text',
      protocol: 'text',
      content: fenced,
      expected: { text: 'I look at it.', toolCalls: readCall },
    },
    {
      title: 'a call in a code fence of a native model',
      protocol: 'native',
      content: fenced,
      expected: { text: 'I look at it.', toolCalls: readCall },
    },
    {
      title: 'a call in tool_call tags',
      protocol: 'native',
      content: '<tool_call>\n{"name": "read", "arguments": {"path": "a.py"}}\n</tool_call>',
      expected: { text: '', toolCalls: readCall },
    },
    {
      title: 'a fence that is never closed',
      protocol: 'text',
      content: '```json\n{"tool": "read", "arguments": {"path": "a.py"}}',
      expected: { text: '', toolCalls: readCall },
    },
    {
      title: 'an object as the whole text',
      protocol: 'text',
      content: '{"tool": "read", "arguments": {"path": "a.py"}}',
      expected: { text: '', toolCalls: readCall },
    },
    {
      title: 'an object of the schema',
      protocol: 'json',
      content: '{"tool": "read", "arguments": {"path": "a.py"}}',
      expected: { text: '', toolCalls: readCall },
    },
    {
      title: 'an object in a fence, after reasoning',
      protocol: 'json',
      content: '<think>hm</think>```json\n{"tool": "read", "arguments": {"path": "a.py"}}\n```',
      expected: { text: '', toolCalls: readCall },
    },
    {
      title: 'done',
      protocol: 'json',
      content: '{"thought": "", "tool": "done", "arguments": {"summary": "Fixed a.py."}}',
      expected: { text: '', toolCalls: [], finished: 'Fixed a.py.' },
    },
    {
      title: 'words of a native model without calls as its end',
      protocol: 'native',
      content: 'All done.',
      expected: { text: 'All done.', toolCalls: [], finished: 'All done.' },
    },
    {
      title: 'code in a fence of a native model as words',
      protocol: 'native',
      content: 'See:\n```json\n{"a": 1}\n```',
      expected: { text: 'See:\n```json\n{"a": 1}\n```', toolCalls: [], finished: 'See:\n```json\n{"a": 1}\n```' },
    },
  ];

for (const { title, protocol, content, expected } of understood) {
  test(`understood: ${title}`, () => assert.deepEqual(decode(protocol, content), expected));
}

test('a call of done beside other calls does not end the work', () => {
  const answer = decode(
    'json',
    '[{"tool": "read", "arguments": {"path": "a.py"}}, {"tool": "done", "arguments": {"summary": "x"}}]',
  );
  assert.deepEqual(answer, { text: '', toolCalls: readCall });
});

for (const [protocol, content] of [
  ['native', ''],
  ['native', '<think>only reasoning'],
  ['native', '<think>only reasoning</think>'],
  ['json', ''],
  ['json', 'I will read the file.'],
  ['json', '{"tool": "fly", "arguments": {}}'],
  ['json', '[]'],
  ['text', 'I will read the file.'],
] as const) {
  test(`unusable, with advice: ${protocol} ${JSON.stringify(content)}`, () => {
    const answer = decode(protocol, content);
    assert.deepEqual(answer.toolCalls, []);
    assert((answer.unusable ?? '').length > 10);
  });
}

test('the model is told if its answer was cut off at the length limit', () => {
  assert.match(decode('json', '{"tool": "edit", "argum', 'length').unusable ?? '', /too long/);
});

test('calls get ids of the conversation, whatever ids the server sends', () => {
  const toolCalls = [
    { id: '../../x', name: 'read', arguments: '{}' },
    { id: '', name: 'read', arguments: '{}' },
  ];
  const answer = decodeAnswer('native', { content: '', toolCalls, stopReason: 'tool-calls' }, tools, 12);
  assert.deepEqual(
    answer.toolCalls.map((call) => call.id),
    ['c00120001', 'c00120002'],
  );
});

test('arguments that are not a JSON object are never sent back to a server', () => {
  const conversation: Message[] = [
    {
      role: 'assistant',
      content: '',
      toolCalls: [
        { id: 'c1', name: 'read', arguments: '{"path": ' },
        { id: 'c2', name: 'read', arguments: '[1]' },
        { id: 'c3', name: 'write', arguments: `{"text":"${'x'.repeat(300_000)}"}` },
      ],
    },
  ];
  const [message] = encodeQuestion('native', conversation, tools).messages;
  assert(message?.role === 'assistant');
  for (const call of message.toolCalls) {
    assert.equal(typeof JSON.parse(call.arguments), 'object');
    assert(call.arguments.length < 500);
  }
});

test('without native tools, the conversation alternates between user and assistant texts, and the system prompt lists the tools', () => {
  const conversation: Message[] = [
    { role: 'system', content: 'You are careful.' },
    { role: 'user', content: 'Fix it.' },
    { role: 'assistant', content: 'Look.', toolCalls: readCall },
    { role: 'tool', toolCallId: 'c00010001', content: '1\tx' },
    { role: 'user', content: 'Go on.' },
  ];
  for (const protocol of ['json', 'text'] as const) {
    const { messages, tools: native } = encodeQuestion(protocol, conversation, tools);
    assert.equal(native, undefined);
    assert.deepEqual(
      messages.map((message) => message.role),
      ['system', 'user', 'assistant', 'user'],
    );
    for (const tool of [...tools, 'done'])
      assert.match(messages[0]?.content ?? '', new RegExp(`^- ${tool}: .*Example: \\{`, 'm'));
    assert.equal(messages[3]?.content, 'Result of read:\n1\tx\n\nGo on.');
  }
  assert.equal(conversation[3]?.content, '1\tx');
});

const anyCall = fc.record({
  name: fc.constantFrom(...tools),
  arguments: fc
    .dictionary(
      fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== '__proto__'),
      fc.string(),
    )
    .map((value) => JSON.stringify(value)),
});

test('round trip: a model reads its earlier calls in the form in which it could have written them', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('json' as const, 'text' as const),
      fc.array(anyCall, { minLength: 1, maxLength: 5 }),
      (protocol, calls) => {
        const toolCalls = calls.map((call, index) => ({ ...call, id: `c0007000${index + 1}` }));
        const message = toAssistantMessage({ text: '', toolCalls });
        const written = encodeQuestion(protocol, [{ role: 'user', content: 'x' }, message], tools).messages.at(-1);
        const decoded = decodeAnswer(
          protocol,
          { content: written?.content ?? '', toolCalls: [], stopReason: 'stop' },
          tools,
          7,
        );
        assert.deepEqual(decoded, { text: '', toolCalls });
      },
    ),
  );
});

test('no answer makes a decoder throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('native' as const, 'json' as const, 'text' as const),
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `\`\`\`json\n${json}\n\`\`\``),
      ),
      (protocol, content) => void decode(protocol, content),
    ),
  );
});

test('an answer that a filter stopped counts neither as an end nor as a call', () => {
  for (const protocol of ['native', 'json', 'text'] as const) {
    const decoded = decode(protocol, fenced, 'content-filter');
    assert.deepEqual([decoded.toolCalls, decoded.finished], [[], undefined]);
    assert.match(decoded.unusable ?? '', /stopped by a filter/);
  }
});

const made = (name: string, text: string) => ({ id: 'k', name, arguments: text });

test('a call that was cut off with its answer is told that the answer was too long', () => {
  for (const text of ['{"path":"a.txt","text":"line line', '']) {
    const toolCalls = [made('read', '{"path":"a.txt"}'), made('write', text)];
    const answer = decodeAnswer('native', { content: '', toolCalls, stopReason: 'length' }, ['read', 'write'], 1);
    const { calls } = summariseAnswer(answer, ['read', 'write']);
    assert.equal(calls[0]?.error, undefined);
    assert.match(calls[1]?.error ?? '', /too long/);
  }
});

test('a whole call of an answer that became too long is carried out', () => {
  const answer = decodeAnswer(
    'native',
    { content: '', toolCalls: [made('read', '{"path":"a.txt"}')], stopReason: 'length' },
    tools,
    1,
  );
  assert.equal(summariseAnswer(answer, tools).calls[0]?.error, undefined);
});

for (const protocol of ['native', 'json', 'text'] as const) {
  test(`an answer that was all thought and became too long is told so, with ${protocol} tools`, () => {
    assert.match(decode(protocol, '<think>and so on', 'length').unusable ?? '', /too long/);
  });

  test(`a refusal is kept and answered, with ${protocol} tools`, () => {
    const answer = decodeAnswer(
      protocol,
      { content: '', refusal: "I can't do that.", toolCalls: [], stopReason: 'stop' },
      tools,
      1,
    );
    assert.equal(toAssistantMessage(answer).content, "I can't do that.");
    assert.match(answer.unusable ?? '', /I can't do that/);
  });
}

test("a call's name is the tool's, and a name that is none goes back as a word", () => {
  const toolCalls = [made('functions.edit', '{}'), made('edit<|channel|>commentary', '{}'), made('fly away!', '{}')];
  const answer = decodeAnswer('native', { content: '', toolCalls, stopReason: 'tool-calls' }, tools, 1);
  const [message] = encodeQuestion('native', [toAssistantMessage(answer)], tools).messages;
  assert.deepEqual(message?.role === 'assistant' && message.toolCalls.map(({ name }) => name), [
    'edit',
    'edit',
    'fly_away_',
  ]);
});

test('what came beside an answer and its calls stays with them', () => {
  const extra = { reasoning_content: 'Hm' };
  const toolCalls = [
    { ...made('read', '{"path":"a"}'), extra: { extra_content: { google: { thought_signature: 'SIG' } } } },
  ];
  const answer = decodeAnswer('native', { content: '', toolCalls, stopReason: 'tool-calls', extra }, tools, 1);
  const [message] = encodeQuestion('native', [toAssistantMessage(answer)], tools).messages;
  assert(message?.role === 'assistant');
  assert.deepEqual(message.extra, extra);
  assert.deepEqual(message.toolCalls[0]?.extra, toolCalls[0]?.extra);
});

test('nothing that a model reads names a file or shows code that it could copy', () => {
  const read = (['native', 'json', 'text'] as const).flatMap((protocol) => {
    const question = encodeQuestion(protocol, [{ role: 'system', content: systemPrompt }], agentTools);
    return [...question.messages.map(({ content }) => content), JSON.stringify(question.tools ?? [])];
  });
  for (const text of [...read, tooLongAnswerFeedback, refusedChangeFeedback(''), refusedAnswerFeedback('')])
    assert.doesNotMatch(text, /\w\/\w|\w\.(?!e\b|g\b)[a-z]{1,4}\b|\bimport \w|\w\(|\w = \w|#/, text);
});
