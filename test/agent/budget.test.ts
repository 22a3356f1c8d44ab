import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import {
  addSpent,
  addUsage,
  checkBudget,
  isUsdUnenforceable,
  nothingSpent,
  type AnswerUsage,
} from '../../agent/budget.ts';

const usage: fc.Arbitrary<AnswerUsage> = fc.record({
  inputTokens: fc.nat(10_000),
  cachedInputTokens: fc.nat(1000),
  outputTokens: fc.nat(5000),
  costUsd: fc.double({ min: 0, max: 1, noNaN: true }),
});

for (const [limit, spent] of [
  ['turns', { turns: 3 }],
  ['tokens', { inputTokens: 2, outputTokens: 1 }],
  ['usd', { costUsd: 3 }],
  ['timeMs', { elapsedMs: 3 }],
] as const) {
  test(`a limit of ${limit} that is reached forbids the next question, by name`, () => {
    assert.equal(checkBudget({ ...nothingSpent, ...spent }, { [limit]: 3 })?.limit, limit);
    assert.equal(checkBudget({ ...nothingSpent, ...spent }, { [limit]: 4 }), undefined);
  });
}

test('the message names the limit and what was spent, in units that people read', () => {
  const spent = { ...nothingSpent, turns: 1, inputTokens: 90, costUsd: 1.5, elapsedMs: 125_000 };
  const messages = [
    checkBudget(spent, { turns: 1 }),
    checkBudget(spent, { tokens: 80 }),
    checkBudget(spent, { tokens: 100 }, { inputTokens: 20 }),
    checkBudget(spent, { usd: 1 / 3 }),
    checkBudget(spent, { timeMs: 120_000 }),
  ].map((exceeded) => exceeded?.message);
  assert.deepEqual(messages, [
    'The limit of 1 turn is reached',
    'The limit of 80 tokens is reached: 90 spent',
    'The limit of 100 tokens does not allow another question: 90 spent, and it would take at least 20',
    'The limit of $0.3333 is reached: $1.5000 spent',
    'The time limit of 2 min 0 s is reached',
  ]);
});

test('a question that takes more tokens than are left is not asked', () => {
  assert.equal(
    checkBudget({ ...nothingSpent, inputTokens: 90 }, { tokens: 100 }, { inputTokens: 11 })?.limit,
    'tokens',
  );
  assert.equal(checkBudget({ ...nothingSpent, inputTokens: 90 }, { tokens: 100 }, { inputTokens: 10 }), undefined);
});

test('a limit of turns is never exceeded, however many answers there are', () => {
  fc.assert(
    fc.property(fc.array(usage, { maxLength: 30 }), fc.integer({ min: 1, max: 20 }), (answers, turns) => {
      let spent = nothingSpent;
      for (const answer of answers) if (!checkBudget(spent, { turns })) spent = addUsage(spent, answer);
      assert(spent.turns <= turns);
    }),
  );
});

test('spending adds up to the same, whether it is counted together or in parts', () => {
  fc.assert(
    fc.property(fc.array(usage), fc.array(usage), (first, second) => {
      const together = [...first, ...second].reduce(addUsage, nothingSpent);
      const parts = addSpent(first.reduce(addUsage, nothingSpent), second.reduce(addUsage, nothingSpent));
      assert.deepEqual({ ...parts, costUsd: 0 }, { ...together, costUsd: 0 });
      assert(Math.abs(parts.costUsd - together.costUsd) < 1e-9);
    }),
  );
});

test("a limit in dollars can't be enforced once an answer has no known price", () => {
  const spent = addUsage(nothingSpent, {
    inputTokens: 1,
    cachedInputTokens: 0,
    outputTokens: 1,
    costUsd: 0,
    unpriced: true,
  });
  assert.equal(isUsdUnenforceable(spent, { usd: 1 }), true);
  assert.equal(isUsdUnenforceable(spent, { turns: 1 }), false);
});
