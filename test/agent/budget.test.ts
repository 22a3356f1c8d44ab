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

test('a question that takes more tokens than are left is not asked', () => {
  assert.equal(
    checkBudget({ ...nothingSpent, inputTokens: 90 }, { tokens: 100 }, { inputTokens: 11 })?.limit,
    'tokens',
  );
  assert.equal(checkBudget({ ...nothingSpent, inputTokens: 90 }, { tokens: 100 }, { inputTokens: 10 }), undefined);
});

test('no number of answers passes a limit of turns', () => {
  fc.assert(
    fc.property(fc.array(usage, { maxLength: 30 }), fc.integer({ min: 1, max: 20 }), (answers, turns) => {
      let spent = nothingSpent;
      for (const answer of answers) if (!checkBudget(spent, { turns })) spent = addUsage(spent, answer);
      assert(spent.turns <= turns);
    }),
  );
});

test('what was spent is the same whether counted together or in parts', () => {
  fc.assert(
    fc.property(fc.array(usage), fc.array(usage), (first, second) => {
      const together = [...first, ...second].reduce(addUsage, nothingSpent);
      const parts = addSpent(first.reduce(addUsage, nothingSpent), second.reduce(addUsage, nothingSpent));
      assert.deepEqual({ ...parts, costUsd: 0 }, { ...together, costUsd: 0 });
      assert(Math.abs(parts.costUsd - together.costUsd) < 1e-9);
    }),
  );
});

test("a limit in dollars can't be held once an answer came without a price", () => {
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
