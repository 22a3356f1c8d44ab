import assert from 'node:assert/strict';
import { test } from 'vitest';
import { readAnswerStream } from '../../model/answer-stream.ts';

interface Piece {
  index?: number;
  id?: string;
  function: { name?: string; arguments?: string };
}

async function callsOf(pieces: Piece[]): Promise<string[]> {
  const chunks = pieces.map((piece) => ({ choices: [{ delta: { tool_calls: [piece] } }] }));
  const { toolCalls } = await readAnswerStream(
    (async function* () {
      yield* chunks;
      yield { choices: [{ delta: {}, finish_reason: 'tool_calls' }] };
    })(),
  );
  return toolCalls.map((call) => `${call.id} ${call.name} ${call.arguments}`);
}

for (const [numbering, numbers] of [
  ['counts them', [0, 1]],
  ['counts none', [undefined, undefined]],
  ['gives all one number', [0, 0]],
  ['counts from one', [1, 2]],
] as const) {
  test(`two calls of an answer stay two calls if the server ${numbering}`, async () => {
    const at = (call: 0 | 1, piece: Omit<Piece, 'index'>): Piece => ({
      ...(numbers[call] !== undefined && { index: numbers[call] }),
      ...piece,
    });
    const calls = await callsOf([
      at(0, { id: 'a', function: { name: 'read', arguments: '{"path":' } }),
      at(0, { function: { arguments: '"one"}' } }),
      at(1, { id: 'b', function: { name: 'read', arguments: '{"path":' } }),
      at(1, { function: { arguments: '"two"}' } }),
    ]);
    assert.deepEqual(calls, ['a read {"path":"one"}', 'b read {"path":"two"}']);
  });
}

test('a call whose id comes with every piece is one call', async () => {
  assert.deepEqual(
    await callsOf([
      { index: 0, id: 'a', function: { name: 'read', arguments: '{' } },
      { index: 0, id: 'a', function: { arguments: '}' } },
    ]),
    ['a read {}'],
  );
});
