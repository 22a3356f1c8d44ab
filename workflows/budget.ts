/** The run's budget: what is left of it, and the check before each spend. */
import { addSpent, addUsage, checkBudget, isUsdUnenforceable, type BudgetLimits, type Spent } from '../agent/budget.ts';
import type { RunDefaults } from '../base/defaults.ts';
import { durationMs } from '../base/durations.ts';
import type { BudgetSection } from '../blueprints/schema.ts';
import type { Usage } from '../model/contract.ts';
import type { AgentBounds } from './agent.ts';
import type { HeldBudget, RunContext } from './context.ts';
import { paidFor, StepFailed } from './failures.ts';

/** The limits of a budget, with the defaults for what it doesn't name. */
export function budgetLimits(budget: BudgetSection = {}, defaults: RunDefaults): BudgetLimits {
  return {
    usd: budget.usd ?? defaults.run.costUsd,
    timeMs: budget.time ? durationMs(budget.time) : defaults.run.timeMs,
    ...(budget.tokens !== undefined && { tokens: budget.tokens }),
    ...(budget.turns !== undefined && { turns: budget.turns }),
  };
}

/** What the run has spent, plus what the steps at work may still spend. */
function spentAndHeld(run: RunContext): Spent {
  const spent = spentSoFar(run);
  for (const { turns, tokens, usd } of run.held)
    Object.assign(spent, {
      turns: spent.turns + turns,
      inputTokens: spent.inputTokens + tokens,
      costUsd: spent.costUsd + usd,
    });
  return spent;
}

/** What the run has spent. Its time leaves out waiting for people and CI. */
function spentSoFar(run: RunContext): Spent {
  return { ...run.memory.spent, elapsedMs: run.clock.elapsedMs };
}

/**
 * Asks one question if the budget allows it together with all questions that are being asked now. `inputTokens` is the
 * least that the question takes. @throws StepFailed `budget-exceeded`, `budget-unenforceable`
 */
export async function askWithinBudget<Answer extends { usage: Usage }>(
  run: RunContext,
  inputTokens: number,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  checkPrice(run);
  const exceeded = checkBudget(spentAndHeld(run), run.limits, { inputTokens });
  if (exceeded) throw new StepFailed('budget-exceeded', exceeded.message);
  return holdBudget(run, { isAgent: false, turns: 1, tokens: inputTokens, usd: 0 }, async () => {
    try {
      const answer = await ask();
      charge(run, answer.usage);
      return answer;
    } catch (error) {
      const usage = paidFor(error);
      if (usage) charge(run, usage);
      throw error;
    }
  });
}

function charge(run: RunContext, usage: Usage): void {
  run.memory.spent = addUsage(run.memory.spent, usage);
  run.view.addUsage(usage);
}

/** Whether the run's budget is spent, leaving out what the steps at work may still spend. */
export function isBudgetSpent(run: RunContext): boolean {
  return checkBudget(spentSoFar(run), run.limits) !== undefined;
}

async function holdBudget<T>(run: RunContext, held: HeldBudget, work: () => Promise<T>): Promise<T> {
  run.held.add(held);
  try {
    return await work();
  } finally {
    run.held.delete(held);
  }
}

/** @throws StepFailed `budget-unenforceable` if the installation refuses a dollar limit that can't be enforced. */
function checkPrice({ opened: { model, blueprint }, memory, limits }: RunContext): void {
  const own = blueprint.budget?.usd;
  if (!model.refuseUnpriced || own === undefined) return;
  if (!model.priced || isUsdUnenforceable(memory.spent, limits)) {
    throw new StepFailed(
      'budget-unenforceable',
      `The budget of $${own} can't be enforced: the price is unknown for ${model.priced ? 'a model that was asked' : model.name}`,
    );
  }
}

/**
 * Checks the run's time before a step; only steps that ask a model spend anything else. @throws StepFailed
 * `budget-exceeded`
 */
export function checkTime(run: RunContext): void {
  const exceeded = checkBudget(spentSoFar(run), run.limits.timeMs === undefined ? {} : { timeMs: run.limits.timeMs });
  if (exceeded) throw new StepFailed('budget-exceeded', exceeded.message);
}

/**
 * Runs an agent within its own limits and its share of what is left of the run's budget. Agents that run at the same
 * time share that evenly, and what one of them leaves is there for the next. @throws StepFailed `budget-unenforceable`
 */
export async function spendWithinBudget<Result extends { spent: Spent }>(
  run: RunContext,
  own: AgentBounds,
  work: (limits: BudgetLimits) => Promise<Result>,
): Promise<Result> {
  checkPrice(run);
  const { limits } = run;
  const taken = spentAndHeld(run);
  const agents = [...run.held].filter(({ isAgent }) => isAgent).length;
  const share = (limit: number | undefined, used: number): number =>
    limit === undefined ? Number.MAX_SAFE_INTEGER : Math.max(limit - used, 0) / Math.max(run.atOnce - agents, 1);
  const within = {
    turns: Math.min(own.turns, Math.ceil(share(limits.turns, taken.turns))),
    ...(limits.usd !== undefined && { usd: share(limits.usd, taken.costUsd) }),
    ...(limits.tokens !== undefined && {
      tokens: Math.floor(share(limits.tokens, taken.inputTokens + taken.outputTokens)),
    }),
  };
  const timeMs = Math.min(
    own.timeMs,
    limits.timeMs === undefined ? own.timeMs : Math.max(limits.timeMs - taken.elapsedMs, 0),
  );
  const held = { isAgent: true, turns: within.turns, tokens: within.tokens ?? 0, usd: within.usd ?? 0 };
  return holdBudget(run, held, async () => {
    const result = await work({ ...within, timeMs });
    run.memory.spent = addSpent(run.memory.spent, result.spent);
    run.view.addUsage(usageOf(result.spent));
    return result;
  });
}

/** The part of what was spent that people are shown. */
export function usageOf({ inputTokens, cachedInputTokens, outputTokens, costUsd, unpricedAnswers }: Spent): Usage {
  return {
    inputTokens,
    cachedInputTokens,
    outputTokens,
    costUsd,
    ...(unpricedAnswers > 0 && { unpriced: true as const }),
  };
}
