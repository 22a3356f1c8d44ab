import assert from 'node:assert/strict';
import { test } from 'vitest';
import { AnswerBuilder } from '../../model/answer-stream.ts';

interface Piece {
  index?: number;
  id?: string;
  function: { name?: string; arguments?: string };
}

function callsOf(pieces: Piece[]): string[] {
  const answer = new AnswerBuilder();
  for (const piece of pieces) answer.add({ choices: [{ delta: { tool_calls: [piece] } }] });
  answer.add({ choices: [{ delta: {}, finish_reason: 'tool_calls' }] });
  const { toolCalls } = answer.build();
  return toolCalls.map((call) => `${call.id} ${call.name} ${call.arguments}`);
}

for (const [numbering, numbers] of [
  ['counts them', [0, 1]],
  ['counts none', [undefined, undefined]],
  ['gives all one number', [0, 0]],
  ['counts from one', [1, 2]],
] as const) {
  test(`two calls of an answer stay two calls if the server ${numbering}`, () => {
    const at = (call: 0 | 1, piece: Omit<Piece, 'index'>): Piece => ({
      ...(numbers[call] !== undefined && { index: numbers[call] }),
      ...piece,
    });
    const calls = callsOf([
      at(0, { id: 'a', function: { name: 'read', arguments: '{"path":' } }),
      at(0, { function: { arguments: '"one"}' } }),
      at(1, { id: 'b', function: { name: 'read', arguments: '{"path":' } }),
      at(1, { function: { arguments: '"two"}' } }),
    ]);
    assert.deepEqual(calls, ['a read {"path":"one"}', 'b read {"path":"two"}']);
  });
}

test('a call whose id comes with every piece is one call', () => {
  assert.deepEqual(
    callsOf([
      { index: 0, id: 'a', function: { name: 'read', arguments: '{' } },
      { index: 0, id: 'a', function: { arguments: '}' } },
    ]),
    ['a read {}'],
  );
});

const read = (rest: Partial<Piece>): Piece => ({ ...rest, function: { name: 'read', arguments: '{"path":"one"}' } });
const edit = (rest: Partial<Piece>): Piece => ({ ...rest, function: { name: 'edit', arguments: '{"path":"two"}' } });

for (const [title, marks] of [
  ['no id and no index', {}],
  ['an empty id and no index', { id: '' }],
  ['one index and no id', { index: 0 }],
  ['one index and one id', { index: 0, id: 'same' }],
] as const)
  test(`calls in whole pieces stay apart with ${title}`, () => {
    const calls = callsOf([read(marks), edit(marks), edit(marks)]).map((call) => call.replace(/^\S+ /, ''));
    assert.deepEqual(calls, ['read {"path":"one"}', 'edit {"path":"two"}', 'edit {"path":"two"}']);
  });

for (const [title, marks] of [
  [
    'the same id',
    [
      { index: 0, id: 'k' },
      { index: 0, id: 'k' },
    ],
  ],
  [
    'a new id each time',
    [
      { index: 0, id: 'k' },
      { index: 0, id: 'l' },
    ],
  ],
  ['an index alone', [{ index: 0 }, { index: 0 }]],
  ['nothing', [{}, {}]],
] as const)
  test(`a name that is sent again with the rest of the arguments is the same name, with ${title}`, () => {
    const [first = '', ...others] = callsOf([
      { ...marks[0], function: { name: 'edit', arguments: '{"path":"a.t' } },
      { ...marks[1], function: { name: 'edit', arguments: 'xt"}' } },
    ]);
    assert.deepEqual(others, []);
    assert.match(first, /edit \{"path":"a\.txt"\}$/);
  });

test('a name may come in pieces, before the arguments', () => {
  const pieces = [
    { index: 0, id: 'a', function: { name: 'ed', arguments: '' } },
    { index: 0, function: { name: 'it' } },
    { index: 0, function: { arguments: '{}' } },
  ];
  assert.deepEqual(callsOf(pieces), ['a edit {}']);
});

test('a piece without any mark goes on with the last call', () => {
  const pieces = [
    read({ index: 3, id: 'a' }),
    { function: { name: 'edit', arguments: '{"pa' } },
    { function: { arguments: 'th":1}' } },
  ];
  assert.deepEqual(callsOf(pieces), ['a read {"path":"one"}', 'call_1 edit {"path":1}']);
});

test('a name may come again with more of it', () => {
  const pieces = [
    { index: 0, id: 'a', function: { name: 'ed' } },
    { index: 0, function: { name: 'edit' } },
    { index: 0, function: { arguments: '{}' } },
  ];
  assert.deepEqual(callsOf(pieces), ['a edit {}']);
});
