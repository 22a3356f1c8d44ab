/** Prices of tokens, by the beginning of a model's name. */
import { z } from 'zod';
import type { Usage } from './contract.ts';

/** A price in US dollars for a million tokens. */
export const Price = z.strictObject({
  inputUsd: z.number().nonnegative().describe('US dollars per million tokens of input'),
  cachedInputUsd: z
    .number()
    .nonnegative()
    .optional()
    .describe('US dollars per million tokens of input that the server had in its cache; by default, `inputUsd`'),
  outputUsd: z.number().nonnegative().describe('US dollars per million tokens of output'),
});
export type Price = z.infer<typeof Price>;

/** Prices by the beginning of a model's name. The longest beginning that fits decides. */
export const PriceTable = z.record(z.string().min(1).max(200), Price);
export type PriceTable = z.infer<typeof PriceTable>;

/** List prices of some well-known models. The user's own table extends and overrides them. */
export const knownPrices: PriceTable = {
  'gpt-4o': { inputUsd: 2.5, cachedInputUsd: 1.25, outputUsd: 10 },
  'gpt-4o-mini': { inputUsd: 0.15, cachedInputUsd: 0.075, outputUsd: 0.6 },
  'gpt-4.1': { inputUsd: 2, cachedInputUsd: 0.5, outputUsd: 8 },
  'gpt-4.1-mini': { inputUsd: 0.4, cachedInputUsd: 0.1, outputUsd: 1.6 },
  'gpt-4.1-nano': { inputUsd: 0.1, cachedInputUsd: 0.025, outputUsd: 0.4 },
  'gpt-5': { inputUsd: 1.25, cachedInputUsd: 0.125, outputUsd: 10 },
  'gpt-5-mini': { inputUsd: 0.25, cachedInputUsd: 0.025, outputUsd: 2 },
  'gpt-5-nano': { inputUsd: 0.05, cachedInputUsd: 0.005, outputUsd: 0.4 },
  o3: { inputUsd: 2, cachedInputUsd: 0.5, outputUsd: 8 },
  'o4-mini': { inputUsd: 1.1, cachedInputUsd: 0.275, outputUsd: 4.4 },
};

/**
 * What may follow a known name: a version or a date, such as `-2024-08-06`, `-latest` or `:2`. Other words mean another
 * model with another price.
 */
const version = /^([-:@](\d[\d.-]*|v\d+|latest|preview))*$/;

/**
 * The price of a model, by the longest name in the tables that its name starts with. The user's `own` table comes
 * before the known prices, which only cover versions of the same model.
 */
export function findPrice(model: string, own: PriceTable = {}): Price | undefined {
  const table = { ...knownPrices, ...own };
  const names = Object.keys(table).filter(
    (name) => model.startsWith(name) && (Object.hasOwn(own, name) || version.test(model.slice(name.length))),
  );
  const longest = names.toSorted((a, b) => b.length - a.length)[0];
  return longest === undefined ? undefined : table[longest];
}

/**
 * Adds the cost to token counts. A model without a price costs 0, and the result says so. Cached input is part of the
 * input.
 */
export function priceUsage(
  tokens: Pick<Usage, 'inputTokens' | 'cachedInputTokens' | 'outputTokens'>,
  price: Price | undefined,
): Usage {
  if (!price) return { ...tokens, costUsd: 0, unpriced: true };
  const cached = Math.min(tokens.cachedInputTokens, tokens.inputTokens);
  const microUsd =
    (tokens.inputTokens - cached) * price.inputUsd +
    cached * (price.cachedInputUsd ?? price.inputUsd) +
    tokens.outputTokens * price.outputUsd;
  return { ...tokens, costUsd: microUsd / 1_000_000 };
}
