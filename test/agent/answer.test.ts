import assert from 'node:assert/strict';
import { test } from 'vitest';
import { parseAnswer, promptQuestion } from '../../agent/answer.ts';

const schema = {
  type: 'object',
  properties: { line: { type: 'string' }, sure: { type: 'boolean' } },
  required: ['line'],
};

test('an answer that fits the schema is read as its value, with or without a code fence', () => {
  assert.deepEqual(parseAnswer('{"line": "x", "sure": true}', schema), { value: { line: 'x', sure: true } });
  assert.deepEqual(parseAnswer('```json\n{"line": "x"}\n```', schema), { value: { line: 'x' } });
  assert.deepEqual(parseAnswer('<think>hm</think>\n{"line": "x"}', schema), { value: { line: 'x' } });
});

for (const [title, text] of [
  ['after reasoning whose beginning the server kept', 'First I think.\n</think>\n\n{"line": "x"}'],
  ['after reasoning in other marks', '[THINK]Is it {"line": "y"}?[/THINK]{"line": "x"}'],
  ['after several thoughts', '<think>a</think>\n<think>b</think>\n{"line": "x"}'],
  [
    'in the final channel',
    '<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>{"line": "x"}<|return|>',
  ],
  ['in the one fence of an answer with prose', 'Here it is:\n```json\n{"line": "x"}\n```\nDone.'],
  ['in the one fence with JSON', 'Instead of\n```py\nx = 1\n```\nI say\n```json\n{"line": "x"}\n```'],
  ['written as a text once more', JSON.stringify('{"line": "x"}')],
  ['between words, without a fence', 'The answer is {"line": "x"}, I think.'],
] as const)
  test(`JSON ${title} is the answer`, () => assert.deepEqual(parseAnswer(text, schema), { value: { line: 'x' } }));

test('marks of reasoning inside of an answer belong to it', () => {
  for (const line of ['a </think> b', '<think>\n</think>\nb'])
    assert.deepEqual(parseAnswer(JSON.stringify({ line }), schema), { value: { line } });
});

test('several answers are none', () => {
  const two = '```json\n{"line": "x"}\n```\nor\n```json\n{"line": "y"}\n```';
  assert.ok('error' in parseAnswer(two, schema));
});

for (const [title, text, ending, error] of [
  ['refused', '', { refusal: "I can't help with that." }, /refused, and said: "I can't help with that."/],
  ['was cut off at its length', '{"line": "x', { stopReason: 'length' }, /too long/],
  ['was cut off while it thought', '<think>and so', { stopReason: 'length' }, /too long/],
  ['was stopped by a filter', '{"line": "x"}', { stopReason: 'content-filter' }, /stopped by a filter/],
] as const)
  test(`an answer that ${title} is told so`, () => {
    const parsed = parseAnswer(text, schema, ending);
    assert.match('error' in parsed ? parsed.error : '', error);
  });

for (const [title, text, error] of [
  ['no JSON', 'The line is x.', /not JSON/],
  ['a missing property', '{}', /required property 'line'/],
  ['a wrong type', '{"line": 5}', /line: must be string/],
  ['nothing', '', /not JSON/],
  ['too much', `{"line": "${'x'.repeat(70_000)}"}`, /longer than 65536/],
] as const) {
  test(`the model is told about an answer with ${title}, so that it can try again`, () => {
    const parsed = parseAnswer(text, schema);
    assert('error' in parsed);
    assert.match(parsed.error, error);
  });
}

test('a schema with a regular expression is refused, at any depth', () => {
  for (const refused of [
    { type: 'string', pattern: '(a+)+$' },
    { anyOf: [{ type: 'array', items: { $ref: '#/$defs/x' } }], $defs: { x: { pattern: 'a' } } },
    { type: 'object', patternProperties: { a: {} } },
  ])
    assert.throws(() => parseAnswer('{}', refused), { name: 'TypeError', message: /can't be used/ });
});

test('a property may be called pattern', () => {
  const named = { type: 'object', properties: { pattern: { enum: ['pattern'] } } };
  assert.deepEqual(parseAnswer('{"pattern": "pattern"}', named), { value: { pattern: 'pattern' } });
});

test('a schema that can’t be used is refused with the reason', () => {
  assert.throws(() => parseAnswer('{}', { type: 'thing' }), { name: 'TypeError', message: /can't be used/ });
});

test('a retry shows the model its answer and what was wrong with it', () => {
  const { messages } = promptQuestion({ text: 'Rewrite x', schema }, [{ answer: '{}', error: 'line is missing' }]);
  assert.deepEqual(messages.map((message) => [message.role, message.content]).slice(1), [
    ['user', 'Rewrite x'],
    ['assistant', '{}'],
    ['user', 'line is missing'],
  ]);
});
