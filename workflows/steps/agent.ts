import { CancelledFailure, startChild, workflowInfo } from '@temporalio/workflow';
import { reviewFeedback, systemPrompt, taskMessage } from '../../agent/prompts.ts';
import type { ArtifactRef } from '../../artifacts/contract.ts';
import { durationMs } from '../../base/durations.ts';
import { plural } from '../../base/plural.ts';
import type { AgentStep } from '../../blueprints/kinds/agent.ts';
import type { SandboxRef } from '../../sandbox/contract.ts';
import { agent, findRefusal, pauseSignal, steerSignal } from '../agent.ts';
import type { AgentResult, AgentTask, AgentWork } from '../agent.ts';
import { spendWithinBudget, usageOf } from '../budget.ts';
import type { RunContext, StepAction, StepPlace, StepResult } from '../context.ts';
import { exportRequest, exportWork } from '../export-work.ts';
import { RunEnded, StepFailed } from '../failures.ts';
import { command, environment, text } from '../render.ts';
import { canKeepOut, recordChecks, rememberGates } from './check.ts';

/**
 * Lets a model work with tools, within limits; then its checks decide. If sent back, it goes on in the same
 * conversation.
 */
export const agentStep: StepAction<AgentStep> = async (run, place) => {
  const { step, path, key, scope, feedback } = place;
  const work = await workOf(run, place);
  const { verify, allowPaths } = work;
  rememberGates(run.memory, key, verify, run.opened.settings.checkTimeoutMs);
  const title = step.title ?? path;
  const kept = run.memory.conversations[path];
  const asked = text(step.agent.task, scope);
  if (feedback !== undefined && kept?.kind === 'agent' && kept.asked === asked) {
    const say: AgentTask['say'] = [...kept.unsaid, { role: 'user', content: reviewFeedback(feedback) }];
    return runAgent(run, { path, key, title, work, asked, say, transcript: kept.transcript });
  }
  const shown = { verify: verify.map((each) => each.shown), ...(allowPaths && { allowPaths }) };
  const task = taskMessage(asked, shown);
  return runAgent(run, {
    path,
    key,
    title,
    work,
    asked,
    say: [
      { role: 'system', content: step.agent.system ? text(step.agent.system, scope) : systemPrompt },
      { role: 'user', content: feedback === undefined ? task : `${task}\n\n${reviewFeedback(feedback)}` },
    ],
  });
};

async function workOf(run: RunContext, { step, key, scope }: StepPlace<AgentStep>): Promise<AgentWork> {
  const { defaults } = run.opened.settings;
  const env = environment(step.env, scope);
  const allowPaths = step.agent['allow-paths'];
  const { counts } = step;
  return {
    tools: step.agent.tools ?? [...defaults.agent.tools],
    env,
    verify: (step.verify ?? []).map((source) => ({ ...command(source, scope), env, ...(counts && { counts }) })),
    bounds: {
      turns: step.agent.turns ?? defaults.agent.turns,
      timeMs: step.timeout ? durationMs(step.timeout) : defaults.timeoutsMs.agent,
    },
    attempts: step.attempts ?? defaults.agent.attempts,
    ...(allowPaths && { allowPaths, since: await commitBefore(run, key) }),
    ...(step.agent.model && { model: step.agent.model }),
  };
}

/** Exports the work so far as a commit. What comes after it is the agent's. */
export async function commitBefore(run: RunContext, key: string): Promise<string> {
  const before = await exportWork(run, { key: `${key}/before`, title: 'What came before the agent' });
  return before.commit ?? run.opened.repository.commit;
}

/** One round of an agent: a first task, or a later message to the same conversation. */
export interface AgentRound {
  path: string;
  /** The key of the round within the run. */
  key: string;
  title: string;
  work: AgentWork;
  /** The task that the conversation began with. */
  asked: string;
  say: AgentTask['say'];
  /** The conversation to go on with. */
  transcript?: ArtifactRef;
}

/**
 * Runs the agent's child workflow to its end and keeps its conversation.
 * @throws StepFailed if the work isn't done; `path-not-allowed` if changes are left that the agent may not make, so
 * that nothing goes on with them.
 */
export async function runAgent(run: RunContext, round: AgentRound): Promise<StepResult> {
  const { memory } = run;
  const { path, work, asked } = round;
  const task = taskOf(run, round, await run.absence.ensureSandbox(run));
  const result = await spendWithinBudget(run, work.bounds, (limits) =>
    runChild(run, path, { ...task, limits }, round.title),
  );
  recordChecks(memory, path, result.checks);
  const { code, reason, transcript, unsaid } = result;
  run.view.keep(path, { artifacts: { ...(transcript && { transcript }), ...result.kept } });
  if (code === 'cancelled') throw new CancelledFailure('The agent was cancelled');
  // What it did is gone with the sandbox, so nothing goes on in its conversation.
  if (code === 'sandbox-lost') throw new StepFailed(code, reason);
  if (transcript) {
    memory.conversations[path] = { kind: 'agent', asked, work, transcript, unsaid };
    memory.lastAgent = path;
  }
  if (result.done) return stepResult(result);
  // The whole run is paused, whatever the failures that a block around the agent tolerates.
  if (code === 'pause-expired') throw new RunEnded({ outcome: 'needs-human', code, reason, step: path });
  const left = work.allowPaths && code !== 'path-not-allowed' ? await findRefusal(task, `${task.key}/left`) : undefined;
  if (left?.code === 'path-not-allowed') throw new StepFailed(left.code, `${reason}; and ${left.message}`);
  const { outputs, usage } = stepResult(result);
  throw new StepFailed(code ?? 'agent-failed', reason, { outputs, ...(usage && result.spent.turns > 0 && { usage }) });
}

function taskOf(
  run: RunContext,
  { key, work, say, transcript }: AgentRound,
  sandbox: SandboxRef,
): Omit<AgentTask, 'limits'> {
  const guard = exportRequest(run, sandbox, { key, title: 'What the agent changed' });
  const { allowPaths: allowedPaths, since } = work;
  return {
    work,
    key: `${run.key}/${key}`,
    sandbox,
    say,
    ...(transcript && { transcript }),
    baseline: run.memory.baseline,
    keepOut: canKeepOut(run),
    settings: run.opened.settings,
    guard: {
      ...guard,
      ...(since !== undefined && { since }),
      policy: { ...guard.policy, ...(allowedPaths && { allowedPaths }) },
    },
  };
}

async function runChild(run: RunContext, path: string, task: AgentTask, title: string): Promise<AgentResult> {
  const name = task.key.slice(run.key.length + 1);
  const workflowId = `${workflowInfo().workflowId}/${name}`;
  run.view.keep(path, { workflowId });
  const starting = startChild(agent, {
    workflowId,
    args: [task],
    staticSummary: title.slice(0, 120),
    staticDetails: `The agent step \`${name}\` of the run`,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    parentClosePolicy: 'REQUEST_CANCEL',
  });
  let endWait: (() => void) | undefined;
  const steerable = {
    steer: async (words: string) => (await starting).signal(steerSignal, words),
    setPaused: async (paused: boolean) => {
      // A paused agent counts as waiting once the turn that it is at has ended.
      endWait?.();
      endWait = paused ? run.clock.beginWait() : undefined;
      await (await starting).signal(pauseSignal, paused);
    },
    waitMs: task.settings.humanWaitMs,
  };
  try {
    return await run.control.attach(path, steerable, async () => (await starting).result());
  } finally {
    endWait?.();
  }
}

function stepResult({ reason, spent, attempts, model }: AgentResult): StepResult {
  const { turns, inputTokens, outputTokens, costUsd } = spent;
  return {
    outputs: { summary: reason, turns, attempts, inputTokens, outputTokens, costUsd },
    note: `${plural(turns, 'turn')}, ${plural(attempts, 'attempt')}, ${model}`,
    usage: usageOf(spent),
  };
}
