/**
 * The agent step. It asks the model and carries out its tool calls until the model says that it is done; then the
 * step's own checks decide. It is a child workflow of the run, so that its turns have their own timeline.
 */
import {
  ActivityFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { AgentAnswer, AskAgent, ExportCommit, RunSettings, TranscriptRef } from '../activities/contract.ts';
import type { ArtifactRef } from '../artifacts/contract.ts';
import { addUsage, checkBudget, nothingSpent, type BudgetLimits, type Spent } from '../agent/budget.ts';
import { decideAfterAnswer, newLoop, type LoopDecision, type LoopState } from '../agent/loop.ts';
import { refusedChangeFeedback, steerMessage, verifyFeedback } from '../agent/prompts.ts';
import type { ErrorCode } from '../base/errors.ts';
import { plural } from '../base/plural.ts';
import type { AgentTool } from '../blueprints/kinds/agent.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import {
  checkCommands,
  describeFailed,
  findSurroundings,
  summarizeChecks,
  type CheckedCommand,
} from './check-commands.ts';
import type { CheckCommand } from './context.ts';
import { performExport } from './export-work.ts';
import { describeFailure, keptBefore, paidFor } from './failures.ts';
import type { BaselineResult } from './memory.ts';
import { conversationQuery, type Conversation } from './messages.ts';
import { perform } from './perform.ts';

/** What an agent step asks for, rendered. It is kept, so that the conversation can go on later. */
export interface AgentWork {
  tools: AgentTool[];
  allowPaths?: string[];
  /** The allowed paths apply to what changed since this commit. If missing, they apply to the whole change. */
  since?: string;
  model?: string;
  env: Record<string, string>;
  /** What the step itself allows. */
  bounds: AgentBounds;
  verify: CheckCommand[];
  attempts: number;
}

/** The argument of the workflow `agent`. */
export interface AgentTask {
  work: AgentWork;
  /** `<run>/<step>`: names every question and tool call of this step, and never changes. */
  key: string;
  sandbox: SandboxRef;
  /** What is said first: the system prompt and the task, or, if a conversation goes on, the next message. */
  say: AskAgent['say'];
  transcript?: TranscriptRef;
  /** What it may spend now: the step's own limits, within what is left of the run's budget. */
  limits: BudgetLimits;
  baseline: BaselineResult[];
  /** Whether new files that its checks make stay out of the change. */
  keepOut: boolean;
  settings: RunSettings;
  /** An export that checks the work against what the step may change. What it refuses goes back to the model. */
  guard: ExportCommit;
  /** Set if a long conversation goes on in a new execution. */
  progress?: AgentProgress;
}

export interface AgentBounds {
  turns: number;
  timeMs: number;
}

/** Plain data that goes along when a conversation goes on in a new execution. */
interface AgentProgress {
  transcript?: TranscriptRef;
  say: AskAgent['say'];
  loop: LoopState;
  attempt: number;
  startedAtMs: number;
  /** Whether it is paused, and how long it was paused so far, which its budget leaves out. */
  paused: boolean;
  pausedMs: number;
  spent: Spent;
  /** What the step shows besides the conversation: the outputs of its checks, of the last time that they ran. */
  kept?: Record<string, ArtifactRef>;
  /** Input tokens of the last question. A conversation grows, so the next question takes at least as many. */
  lastInputTokens?: number;
}

/** How an agent ended, and what it spent. */
export interface AgentResult {
  done: boolean;
  /** Set if the work isn't done. */
  code?: ErrorCode;
  reason: string;
  transcript?: TranscriptRef;
  /** What the model was not told any more, such as people's words. It is told if the conversation goes on. */
  unsaid: AskAgent['say'];
  attempts: number;
  spent: Spent;
  model: string;
  /** What the step shows: the outputs of its checks, and the conversation whose last question got no answer. */
  kept?: Record<string, ArtifactRef>;
  checks: Pick<CheckedCommand, 'result' | 'before' | 'verdict'>[];
}

export const steerSignal = defineSignal<[string]>('steer');
export const pauseSignal = defineSignal<[boolean]>('setPaused');

/** The child workflow of an agent step. It returns what was done and spent, also if it failed or was cancelled. */
export async function agent(task: AgentTask): Promise<AgentResult> {
  const progress: AgentProgress = task.progress ?? {
    say: task.say,
    loop: newLoop,
    attempt: 1,
    startedAtMs: Date.now(),
    paused: false,
    pausedMs: 0,
    spent: nothingSpent,
    ...(task.transcript && { transcript: task.transcript }),
  };
  const steers: string[] = [];
  setHandler(steerSignal, (text) => void steers.push(text));
  setHandler(pauseSignal, (paused) => void (progress.paused = paused));
  setHandler(defineQuery<Conversation>(conversationQuery), () => ({
    ...(progress.transcript && { transcript: progress.transcript }),
    say: [...progress.say, ...steers.map(sayWords)],
  }));
  const heard = ({ unsaid, ...result }: AgentResult): AgentResult => ({
    ...result,
    unsaid: [...unsaid, ...steers.map(sayWords)],
  });
  try {
    return heard(await converse(task, progress, steers));
  } catch (error) {
    // What it cost is charged all the same, and the workflow that cancelled it waits for its end.
    if (isCancellation(error))
      return end(progress, { done: false, code: 'cancelled', reason: 'The agent was cancelled' });
    if (!(error instanceof ActivityFailure)) throw error;
    progress.kept = { ...progress.kept, ...keptBefore(error) };
    const { code, message: reason } = describeFailure(error);
    return heard(end(progress, { done: false, code, reason }));
  }
}

const sayWords = (text: string) => ({ role: 'user' as const, content: steerMessage(text) });

/**
 * Asks and acts until the work is done or a limit is reached. What people say meanwhile is passed on before the next
 * question.
 */
async function converse(task: AgentTask, progress: AgentProgress, steers: string[]): Promise<AgentResult> {
  for (;;) {
    if (progress.paused && !(await untilResumed(task, progress))) {
      const reason = 'Nobody resumed the paused agent before its deadline';
      return end(progress, { done: false, code: 'pause-expired', reason });
    }
    progress.say.push(...steers.splice(0).map(sayWords));
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof agent>({ ...task, progress });

    const spent = { ...progress.spent, elapsedMs: elapsedMs(progress) };
    const exceeded = checkBudget(spent, task.limits, { inputTokens: progress.lastInputTokens ?? 0 });
    if (exceeded) return end(progress, { done: false, code: 'budget-exceeded', reason: exceeded.message });

    const answer = await ask(task, progress);
    const { state, decision } = decideAfterAnswer(progress.loop, answer, task.settings.unusableAnswers);
    progress.loop = state;
    if (decision.kind === 'stop')
      return end(progress, { done: false, code: decision.reason, reason: decision.message, model: answer.model });
    if (decision.kind === 'unusable') progress.say.push({ role: 'user', content: decision.text });
    if (decision.kind === 'act') await act(task, progress, answer, decision);
    if (decision.kind === 'finished' && steers.length === 0) {
      const ended = await verify(task, progress, answer);
      // What people said during the checks is work that isn't done yet.
      if (ended && (steers.length === 0 || !ended.done)) return ended;
    }
  }
}

/** Waits while it is paused. Returns false if nobody resumed it in time. */
async function untilResumed({ settings }: AgentTask, progress: AgentProgress): Promise<boolean> {
  const sinceMs = Date.now();
  const resumed = await condition(() => !progress.paused, settings.humanWaitMs, { summary: 'paused by a person' });
  progress.pausedMs += Date.now() - sinceMs;
  return resumed;
}

function elapsedMs({ startedAtMs, pausedMs }: AgentProgress): number {
  return Date.now() - startedAtMs - pausedMs;
}

async function ask(task: AgentTask, progress: AgentProgress): Promise<AgentAnswer> {
  const turn = progress.loop.turns + 1;
  const { transcript, say } = progress;
  const question = {
    key: `${task.key}/${turn}`,
    turn,
    say,
    tools: task.work.tools,
    ...(transcript && { transcript }),
    ...(task.work.model && { model: task.work.model }),
  };
  const { answerTimeoutMs: timeoutMs, heartbeatTimeoutMs } = task.settings;
  const answer = await perform('askAgent', question, { summary: `turn ${turn}`, timeoutMs, heartbeatTimeoutMs }).catch(
    (error: unknown) => {
      const usage = paidFor(error);
      if (usage) progress.spent = addUsage(progress.spent, usage);
      throw error;
    },
  );
  progress.say = [];
  progress.transcript = answer.transcript;
  progress.spent = addUsage(progress.spent, answer.usage);
  progress.lastInputTokens = answer.usage.inputTokens;
  return answer;
}

/** A command as one would write it for a shell. */
const asShell = (argv: string[]): string => (argv[1] === '-ec' ? (argv[2] ?? '') : argv.join(' ')).trim();

/** Carries out the calls in order, until the step's time is over. A refused call is answered with the next question. */
async function act(
  task: AgentTask,
  progress: AgentProgress,
  answer: AgentAnswer,
  decision: LoopDecision & { kind: 'act' },
): Promise<void> {
  const { sandbox } = task;
  const { tools, allowPaths, env } = task.work;
  for (const { id, note } of decision.calls) {
    const leftMs = (task.limits.timeMs ?? Infinity) - elapsedMs(progress);
    if (leftMs <= 0) return;
    const timeoutMs = Math.min(task.settings.agentCommandTimeoutMs, leftMs);
    const call = answer.calls.find((made) => made.id === id);
    const result = await perform(
      'callTool',
      {
        sandbox,
        tools,
        env,
        key: `${task.key}/${progress.loop.turns}/${id}`,
        transcript: progress.transcript ?? answer.transcript,
        callId: id,
        timeoutMs,
        outputMaxCharacters: task.settings.toolOutputMaxCharacters,
        ...(allowPaths && { allowPaths }),
        ...(task.keepOut && { checks: task.work.verify.map(({ argv }) => asShell(argv)) }),
        ...(note && { note }),
      },
      { summary: call?.brief ?? id, timeoutMs, heartbeatTimeoutMs: task.settings.heartbeatTimeoutMs },
    );
    progress.transcript = result.transcript;
  }
  progress.say.push(
    ...decision.refused.map(({ id, text }) => ({ role: 'tool' as const, toolCallId: id, content: text })),
  );
}

/**
 * Decides whether the work is done, by what it may change and by its checks. Returns undefined if the model gets
 * another attempt.
 */
async function verify(task: AgentTask, progress: AgentProgress, answer: AgentAnswer): Promise<AgentResult | undefined> {
  const { sandbox, baseline, keepOut, settings } = task;
  const { verify: commands, attempts, allowPaths } = task.work;
  const key = `${task.key}/verify/${progress.loop.turns}`;
  const early = await findRefusal(task, key);
  const { checkTimeoutMs: timeoutMs, heartbeatTimeoutMs, defaults: byDefault } = settings;
  const timing = { timeoutMs, attempts: byDefault.retries + 1, heartbeatTimeoutMs };
  const kept: AgentProgress['kept'] = (progress.kept = {});
  const keep = (outputs: typeof kept) => void Object.assign(kept, outputs);
  const checked = early
    ? []
    : await checkCommands({ sandbox, baseline, key, commands, keep, keepOut, ...timing }, progress.attempt >= attempts);
  // The checks run what the agent wrote, so they can write where the agent could not.
  const refusal = early ?? (allowPaths && commands.length > 0 ? await findRefusal(task, `${key}/after`) : undefined);
  const failed = checked.filter(({ verdict }) => !verdict.passed);
  const { model } = answer;
  if (!refusal && failed.length === 0)
    return end(progress, { done: true, reason: answer.finished ?? '', model }, checked);
  const surroundings = refusal ? undefined : findSurroundings(checked);
  if (surroundings !== undefined)
    return end(progress, { done: false, code: 'environment', reason: surroundings, model }, checked);
  if (progress.attempt >= attempts) {
    const code = refusal ? refusal.code : 'verify-failed';
    const reason = `After ${plural(attempts, 'attempt')}: ${refusal ? refusal.message : summarizeChecks(failed)}`;
    return end(progress, { done: false, code, reason, model }, checked);
  }
  progress.attempt += 1;
  const content = refusal
    ? refusedChangeFeedback(refusal.message)
    : verifyFeedback(failed.map(describeFailed), { number: progress.attempt, of: attempts });
  progress.say.push({ role: 'user', content });
  return undefined;
}

/**
 * Why the work can't become a change as it stands; undefined if it can. Throws refusals that the model can't correct.
 */
export async function findRefusal(
  task: Pick<AgentTask, 'guard' | 'settings'>,
  key: string,
): Promise<ReturnType<typeof describeFailure> | undefined> {
  try {
    await performExport({ ...task.guard, key }, task.settings);
    return undefined;
  } catch (error) {
    const failure = describeFailure(error);
    if (correctable.has(failure.code)) return failure;
    throw error;
  }
}

/** Refusals of an export that the model can correct. */
export const correctable: ReadonlySet<ErrorCode> = new Set([
  'protected-path',
  'path-not-allowed',
  'too-many-files',
  'too-large',
  'unsafe-path',
  'unportable-name',
  'unsafe-symlink',
  'submodule',
  'mode-change',
  'lfs-pointer',
  'filtered-file',
]);

function end(
  progress: AgentProgress,
  how: Pick<AgentResult, 'done' | 'code' | 'reason'> & { model?: string },
  checked: CheckedCommand[] = [],
): AgentResult {
  return {
    model: '',
    ...how,
    ...(progress.transcript && { transcript: progress.transcript }),
    unsaid: progress.say,
    ...(progress.kept && { kept: progress.kept }),
    attempts: progress.attempt,
    spent: progress.spent,
    checks: checked.map(({ result, before, verdict }) => ({ result, verdict, ...(before && { before }) })),
  };
}
