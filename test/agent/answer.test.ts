import assert from 'node:assert/strict';
import { test } from 'vitest';
import { parseAnswer, promptQuestion } from '../../agent/answer.ts';

const schema = {
  type: 'object',
  properties: { line: { type: 'string' }, sure: { type: 'boolean' } },
  required: ['line'],
};

test('an answer of the schema is its value, in a fence or not', () => {
  assert.deepEqual(parseAnswer('{"line": "x", "sure": true}', schema), { value: { line: 'x', sure: true } });
  assert.deepEqual(parseAnswer('```json\n{"line": "x"}\n```', schema), { value: { line: 'x' } });
  assert.deepEqual(parseAnswer('<think>hm</think>\n{"line": "x"}', schema), { value: { line: 'x' } });
});

for (const [title, text, error] of [
  ['no JSON', 'The line is x.', /not JSON/],
  ['a missing property', '{}', /required property 'line'/],
  ['a wrong type', '{"line": 5}', /line: must be string/],
  ['nothing', '', /not JSON/],
  ['too much', `{"line": "${'x'.repeat(70_000)}"}`, /longer than 65536/],
] as const) {
  test(`an answer with ${title} is told so, for another try`, () => {
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

test('a schema that cannot be used says why', () => {
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
