/**
 * Compares what may be spent with what was spent. It is pure, runs in workflow code, and is asked before every spend.
 */
import { formatDuration } from '../base/durations.ts';
import { plural } from '../base/plural.ts';

/** What a run or an agent has spent. */
export interface Spent {
  turns: number;
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  costUsd: number;
  elapsedMs: number;
  /** Answers whose cost nobody knows. */
  unpricedAnswers: number;
}

/** The limits of a budget. A missing limit is not enforced. */
export interface BudgetLimits {
  turns?: number;
  /** Input and output together. */
  tokens?: number;
  usd?: number;
  timeMs?: number;
}

/** The limit that was reached. */
export interface BudgetExceeded {
  limit: keyof BudgetLimits;
  /** For people: the limit, and what was spent. */
  message: string;
}

export interface AnswerUsage {
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  costUsd: number;
  unpriced?: true | undefined;
}

export const nothingSpent: Spent = {
  turns: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  costUsd: 0,
  elapsedMs: 0,
  unpricedAnswers: 0,
};

/** What is spent after one more answer of a model. */
export function addUsage(spent: Spent, usage: AnswerUsage): Spent {
  return {
    turns: spent.turns + 1,
    inputTokens: spent.inputTokens + usage.inputTokens,
    cachedInputTokens: spent.cachedInputTokens + usage.cachedInputTokens,
    outputTokens: spent.outputTokens + usage.outputTokens,
    costUsd: spent.costUsd + usage.costUsd,
    elapsedMs: spent.elapsedMs,
    unpricedAnswers: spent.unpricedAnswers + (usage.unpriced ? 1 : 0),
  };
}

/** What two parts of a run spent together. `elapsedMs` is the longer one's, since parts may run at the same time. */
export function addSpent(a: Spent, b: Spent): Spent {
  return {
    turns: a.turns + b.turns,
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd + b.costUsd,
    elapsedMs: Math.max(a.elapsedMs, b.elapsedMs),
    unpricedAnswers: a.unpricedAnswers + b.unpricedAnswers,
  };
}

/**
 * Finds the limit that forbids the next question, if any. `next.inputTokens` is the least that the question takes: a
 * question that the budget can't pay for is not asked.
 */
export function checkBudget(
  spent: Spent,
  limits: BudgetLimits,
  next: { inputTokens?: number } = {},
): BudgetExceeded | undefined {
  const { turns, tokens, usd, timeMs } = limits;
  const spentTokens = spent.inputTokens + spent.outputTokens;
  if (turns !== undefined && spent.turns >= turns)
    return exceeded('turns', `The limit of ${plural(turns, 'turn')} is reached`);
  if (tokens !== undefined && spentTokens >= tokens)
    return exceeded('tokens', `The limit of ${plural(tokens, 'token')} is reached: ${spentTokens} spent`);
  if (tokens !== undefined && spentTokens + (next.inputTokens ?? 0) > tokens) {
    const message = `The limit of ${plural(tokens, 'token')} does not allow another question`;
    return exceeded('tokens', `${message}: ${spentTokens} spent, and it would take at least ${next.inputTokens}`);
  }
  if (usd !== undefined && spent.costUsd >= usd)
    return exceeded('usd', `The limit of $${Number(usd.toFixed(4))} is reached: $${spent.costUsd.toFixed(4)} spent`);
  if (timeMs !== undefined && spent.elapsedMs >= timeMs)
    return exceeded('timeMs', `The time limit of ${formatDuration(timeMs)} is reached`);
  return undefined;
}

/**
 * The fewest tokens of a text, with any tokenizer in use: words and runs of blanks with more characters a token are
 * rare.
 */
export function fewestTokens(text: string): number {
  return Math.floor(text.length / 8);
}

/** Whether a dollar limit can't be enforced, because the price of an answer is unknown. */
export function isUsdUnenforceable(spent: Spent, limits: BudgetLimits): boolean {
  return limits.usd !== undefined && spent.unpricedAnswers > 0;
}

function exceeded(limit: keyof BudgetLimits, message: string): BudgetExceeded {
  return { limit, message };
}
