/** What may be spent, and whether it is. Pure; runs in workflow code; asked before every spend. */

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

/** A limit that is missing isn't enforced. */
export interface BudgetLimits {
  turns?: number;
  /** Input and output together. */
  tokens?: number;
  usd?: number;
  timeMs?: number;
}

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

/** The spendings after one more answer of a model. */
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

/** The spendings of two parts of a run together; `elapsedMs` is the longer one's, since parts may run at once. */
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
 * Which limit forbids the next question, if any. `next.inputTokens` is what that question will take at least: a
 * question that can't be paid for is not asked.
 */
export function checkBudget(
  spent: Spent,
  limits: BudgetLimits,
  next: { inputTokens?: number } = {},
): BudgetExceeded | undefined {
  const tokens = spent.inputTokens + spent.outputTokens;
  if (limits.turns !== undefined && spent.turns >= limits.turns)
    return exceeded('turns', spent.turns, limits.turns, 'turns');
  if (limits.tokens !== undefined && (tokens >= limits.tokens || tokens + (next.inputTokens ?? 0) > limits.tokens)) {
    return exceeded('tokens', tokens, limits.tokens, 'tokens');
  }
  if (limits.usd !== undefined && spent.costUsd >= limits.usd)
    return exceeded('usd', spent.costUsd, limits.usd, 'US dollars');
  if (limits.timeMs !== undefined && spent.elapsedMs >= limits.timeMs)
    return exceeded('timeMs', spent.elapsedMs, limits.timeMs, 'milliseconds');
  return undefined;
}

/** What a text takes at least, by any tokenizer in use: words and runs of blanks longer than this are rare. */
export function fewestTokens(text: string): number {
  return Math.floor(text.length / 8);
}

/** Whether a limit in dollars can't be held, because an answer came without a known price. */
export function isUsdUnenforceable(spent: Spent, limits: BudgetLimits): boolean {
  return limits.usd !== undefined && spent.unpricedAnswers > 0;
}

function exceeded(limit: keyof BudgetLimits, spent: number, allowed: number, unit: string): BudgetExceeded {
  const message = `the budget of ${allowed} ${unit} does not allow another question: ${Number(spent.toFixed(4))} spent`;
  return { limit, spent, allowed, message };
}
