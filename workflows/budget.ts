/** The run's budget: what is left of it, and the check before each spend. */
import { addSpent, addUsage, checkBudget, isUsdUnenforceable, type BudgetLimits, type Spent } from '../agent/budget.ts';
import { defaults } from '../blueprints/defaults.ts';
import { durationMs, type BudgetSection } from '../blueprints/schema.ts';
import type { Usage } from '../model/contract.ts';
import type { RunContext } from './context.ts';
import { StepFailed } from './failures.ts';

export function budgetLimits(budget: BudgetSection = {}): BudgetLimits {
  return {
    usd: budget.usd ?? defaults.run.costUsd,
    timeMs: budget.time ? durationMs(budget.time) : defaults.run.timeMs,
    ...(budget.tokens !== undefined && { tokens: budget.tokens }),
    ...(budget.turns !== undefined && { turns: budget.turns }),
  };
}

/** What the run has spent; its time leaves out the waiting for people and CI. */
function spentSoFar(run: RunContext): Spent {
  return { ...run.carried.spent, elapsedMs: Date.now() - run.view.state.startedAtMs - run.carried.waitedMs };
}

/** Before each spend. @throws StepFailed `budget-exceeded`, `budget-unenforceable` */
export function checkSpending(run: RunContext): void {
  checkPrice(run);
  const exceeded = checkBudget(spentSoFar(run), run.limits);
  if (exceeded) throw new StepFailed('budget-exceeded', exceeded.message);
}

/** @throws StepFailed `budget-unenforceable` where the installation refuses a limit in dollars that nobody can hold. */
function checkPrice({ opened: { model, blueprint }, carried, limits }: RunContext): void {
  const own = blueprint.budget?.usd;
  if (!model.refuseUnpriced || own === undefined) return;
  if (!model.priced || isUsdUnenforceable(carried.spent, limits)) {
    throw new StepFailed('budget-unenforceable', `The budget of $${own} can't be held: nobody knows the price of ${model.priced ? 'a model that was asked' : model.name}`);
  }
}

/** Before each step: time is spent by every kind of step, the rest by models only. @throws StepFailed `budget-exceeded` */
export function checkTime(run: RunContext): void {
  const exceeded = checkBudget(spentSoFar(run), run.limits.timeMs === undefined ? {} : { timeMs: run.limits.timeMs });
  if (exceeded) throw new StepFailed('budget-exceeded', exceeded.message);
}

/** What an agent step may spend at most: its own bounds, within what the run's budget leaves. @throws StepFailed `budget-unenforceable` */
export function limitsWithin(run: RunContext, own: { turns: number; timeMs: number }): BudgetLimits {
  checkPrice(run);
  const { limits } = run;
  const spent = spentSoFar(run);
  const left = (limit: number | undefined, used: number): number => (limit === undefined ? Number.MAX_SAFE_INTEGER : Math.max(limit - used, 0));
  return {
    turns: Math.min(own.turns, left(limits.turns, spent.turns)),
    timeMs: Math.min(own.timeMs, left(limits.timeMs, spent.elapsedMs)),
    ...(limits.usd !== undefined && { usd: left(limits.usd, spent.costUsd) }),
    ...(limits.tokens !== undefined && { tokens: left(limits.tokens, spent.inputTokens + spent.outputTokens) }),
  };
}

export function spendAnswer(run: RunContext, usage: Usage): void {
  run.carried.spent = addUsage(run.carried.spent, usage);
  run.view.addUsage(usage);
}

/** What a child spent. */
export function spend(run: RunContext, spent: Spent): void {
  run.carried.spent = addSpent(run.carried.spent, spent);
  run.view.addUsage(usageOf(spent));
}

export function usageOf({ inputTokens, cachedInputTokens, outputTokens, costUsd, unpricedAnswers }: Spent): Usage {
  return { inputTokens, cachedInputTokens, outputTokens, costUsd, ...(unpricedAnswers > 0 && { unpriced: true as const }) };
}
