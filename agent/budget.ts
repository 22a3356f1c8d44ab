/**
 * Compares what may be spent with what was spent. It is pure, runs in workflow code, and is asked before every spend.
 */

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
  spent: number;
  allowed: number;
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
  const tokens = spent.inputTokens + spent.outputTokens;
  if (limits.turns !== undefined && spent.turns >= limits.turns)
    return exceeded('turns', spent.turns, limits.turns, 'turn');
  if (limits.tokens !== undefined && (tokens >= limits.tokens || tokens + (next.inputTokens ?? 0) > limits.tokens)) {
    return exceeded('tokens', tokens, limits.tokens, 'token');
  }
  if (limits.usd !== undefined && spent.costUsd >= limits.usd)
    return exceeded('usd', spent.costUsd, limits.usd, 'US dollar');
  if (limits.timeMs !== undefined && spent.elapsedMs >= limits.timeMs)
    return exceeded('timeMs', spent.elapsedMs, limits.timeMs, 'millisecond');
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

function exceeded(limit: keyof BudgetLimits, spent: number, allowed: number, unit: string): BudgetExceeded {
  const budget = `${allowed} ${allowed === 1 ? unit : `${unit}s`}`;
  const message = `the budget of ${budget} does not allow another question: ${Number(spent.toFixed(4))} spent`;
  return { limit, spent, allowed, message };
}
