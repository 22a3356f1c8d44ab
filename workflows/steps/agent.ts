import { startChild, workflowInfo } from '@temporalio/workflow';
import { reviewFeedback, systemPrompt, taskMessage } from '../../agent/prompts.ts';
import { defaults } from '../../base/defaults.ts';
import { durationMs } from '../../base/durations.ts';
import type { AgentStep } from '../../blueprints/schema.ts';
import {
  agent,
  findRefusal,
  pauseSignal,
  steerSignal,
  type AgentResult,
  type AgentTask,
  type BoundedTask,
} from '../agent.ts';
import { spendWithinBudget, usageOf } from '../budget.ts';
import type { RunContext, StepKindAction } from '../context.ts';
import { exportRequest, exportWork } from '../export-work.ts';
import { StepFailed } from '../failures.ts';
import type { StepResult } from '../journal.ts';
import { command, environment, text } from '../render.ts';
import { recordChecks, rememberGate } from './check.ts';

/** A model with tools, inside bounds; then its checks decide. Sent back by a human, it goes on in the same conversation. */
export const agentStep: StepKindAction<AgentStep> = async (run, { step, path, key, scope }) => {
  const kept = run.carried.agents[path];
  const feedback = run.carried.feedback[path];
  const env = environment(step.env, scope);
  const verify = (step.verify ?? []).map((source) => command(source, scope));
  rememberGate(run.carried, verify, env, run.opened.settings.checkTimeoutMs);
  const allowPaths = step.agent['allow-paths'];
  const task: BoundedTask = {
    key: `${run.key}/${key}`,
    sandbox: run.sandbox,
    say: [
      { role: 'system', content: step.agent.system ? text(step.agent.system, scope) : systemPrompt },
      {
        role: 'user',
        content: taskMessage(text(step.agent.task, scope), {
          verify: verify.map(({ shown }) => shown),
          ...(allowPaths && { allowPaths }),
        }),
      },
    ],
    tools: step.agent.tools ?? [...defaults.agent.tools],
    env,
    verify,
    bounds: {
      turns: step.agent.turns ?? defaults.agent.turns,
      timeMs: step.timeout ? durationMs(step.timeout) : defaults.timeoutsMs.agent,
    },
    attempts: step.attempts ?? defaults.agent.attempts,
    baseline: run.carried.baseline,
    settings: run.opened.settings,
    guard: await guardFor(run, key, allowPaths),
    ...(allowPaths && { allowPaths }),
    ...(step.agent.model && { model: step.agent.model }),
    ...(kept &&
      feedback && { transcript: kept.transcript, say: [{ role: 'user' as const, content: reviewFeedback(feedback) }] }),
  };
  return runAgent(run, path, task, step.title ?? path);
};

/** What the step's work is held to: the policy of every change, and its own paths since the step began. */
async function guardFor(
  run: RunContext,
  key: string,
  allowedPaths: string[] | undefined,
): Promise<BoundedTask['guard']> {
  const guard = exportRequest(run, { key, title: 'What the agent changed' });
  if (!allowedPaths) return guard;
  const before = await exportWork(run, { key: `${key}/before`, title: 'What came before the agent' });
  return { ...guard, policy: { ...guard.policy, allowedPaths }, since: before.commit ?? guard.base };
}

/**
 * Runs the agent's child workflow to its end and keeps its conversation. @throws StepFailed where it isn't done, and
 * `path-not-allowed` where it leaves changes that it may not make, so that nothing goes on with them.
 */
export async function runAgent(run: RunContext, path: string, task: BoundedTask, title: string): Promise<StepResult> {
  const result = await spendWithinBudget(run, task.bounds, (limits) => runChild(run, { ...task, limits }, title));
  run.carried.waitedMs += result.pausedMs;
  recordChecks(run.carried, path, result.checks);
  if (result.transcript) {
    run.carried.agents[path] = { task, transcript: result.transcript };
    run.carried.lastAgent = path;
  }
  if (result.done) return stepResult(result);
  const left =
    task.allowPaths && result.code !== 'path-not-allowed' ? await findRefusal(task, `${task.key}/left`) : undefined;
  if (left?.code === 'path-not-allowed') throw new StepFailed(left.code, `${result.reason}; and ${left.message}`);
  throw new StepFailed(result.code ?? 'agent-failed', result.reason);
}

async function runChild(run: RunContext, task: AgentTask, title: string): Promise<AgentResult> {
  const starting = startChild(agent, {
    workflowId: `${workflowInfo().workflowId}/${task.key.slice(run.key.length + 1)}`,
    args: [task],
    staticSummary: title.slice(0, 120),
    staticDetails: `The agent step \`${task.key.slice(run.key.length + 1)}\` of the run`,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    parentClosePolicy: 'REQUEST_CANCEL',
  });
  return run.control.attach(
    {
      steer: async (words) => (await starting).signal(steerSignal, words),
      setPaused: async (paused) => (await starting).signal(pauseSignal, paused),
      waitMs: task.settings.humanWaitMs,
    },
    async () => (await starting).result(),
  );
}

function stepResult({ reason, spent, attempts, transcript, model }: AgentResult): StepResult {
  const { turns, inputTokens, outputTokens, costUsd } = spent;
  return {
    outputs: { summary: reason, turns, attempts, inputTokens, outputTokens, costUsd },
    note: `${turns} turns, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}, ${model}`,
    usage: usageOf(spent),
    ...(transcript && { artifacts: { transcript } }),
  };
}
