import assert from 'node:assert/strict';
import { test } from 'vitest';
import { findPrice, knownPrices, priceUsage } from '../../model/prices.ts';

test('the longest beginning of a name decides its price', () => {
  assert.equal(findPrice('gpt-4o-mini-2024-07-18'), knownPrices['gpt-4o-mini']);
  assert.equal(findPrice('gpt-4o-2024-08-06'), knownPrices['gpt-4o']);
});

test('a known price covers versions of its model, and no other model', () => {
  for (const version of ['gpt-5', 'gpt-5-2025-08-07', 'gpt-5-latest', 'o3-2025-04-16'])
    assert.ok(findPrice(version), version);
  for (const other of ['gpt-5-pro', 'gpt-5.2', 'o3-pro', 'o3-deep-research', 'gpt-4o-audio-preview', 'gpt-4o1'])
    assert.equal(findPrice(other), undefined, other);
  assert.ok(findPrice('gpt-5-pro', { 'gpt-5': { inputUsd: 1, outputUsd: 1 } }));
});

test("a user's own table extends and overrides the known prices, and its names are not patterns", () => {
  const own = { 'gpt-4o': { inputUsd: 1, outputUsd: 1 }, 'qwen.*': { inputUsd: 0, outputUsd: 0 } };
  assert.equal(findPrice('gpt-4o', own), own['gpt-4o']);
  assert.equal(findPrice('qwen-coder', own), undefined);
  assert.equal(findPrice('qwen.*-1', own), own['qwen.*']);
});

test('cached input has its own price', () => {
  const usage = priceUsage(
    { inputTokens: 1_000_000, cachedInputTokens: 400_000, outputTokens: 100_000 },
    { inputUsd: 2, cachedInputUsd: 0.5, outputUsd: 8 },
  );
  assert.equal(usage.costUsd, 1.2 + 0.2 + 0.8);
});

test('an unknown model costs 0 and says that it is unpriced', () => {
  assert.deepEqual(priceUsage({ inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 }, findPrice('mystery')), {
    inputTokens: 1,
    cachedInputTokens: 0,
    outputTokens: 1,
    costUsd: 0,
    unpriced: true,
  });
});
