/** The only way for workflow code to run an activity. */
import {
  ActivityFailure,
  ApplicationFailure,
  proxyActivities,
  TimeoutFailure,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import { defaults } from '../base/defaults.ts';
import { taskQueues, type TaskQueue } from './messages.ts';

const queueOf: Record<keyof Activities, TaskQueue> = {
  openRun: 'forge',
  keepValue: 'forge',
  loadValue: 'forge',
  joinPages: 'forge',
  prepareSandbox: 'sandbox',
  runCommand: 'sandbox',
  applyEdit: 'sandbox',
  undoEdit: 'sandbox',
  callTool: 'sandbox',
  exportCommit: 'sandbox',
  copySandbox: 'sandbox',
  restoreSandbox: 'sandbox',
  removeSandbox: 'sandbox',
  askPrompt: 'model',
  askAgent: 'model',
  pushBranch: 'forge',
  ensureChange: 'forge',
  awaitChecks: 'forge',
  comment: 'forge',
  checkFreshness: 'forge',
};

const proxies = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });

export interface PerformOptions {
  /** What an operator reads next to the activity's name in the timeline. */
  summary: string;
  /** How long one try may take; 2 minutes if missing. */
  timeoutMs?: number;
  /**
   * How many tries it gets in all if something around it breaks. Tries that were lost with their worker don't count.
   */
  attempts?: number;
  heartbeatTimeoutMs?: number;
}

/**
 * Runs one activity, with a limit on each try, on the number of tries and on the total time. Temporal counts a try that
 * was lost with its worker like one that failed. If no tries are left after a lost one, the count starts again, a few
 * times.
 * @throws ActivityFailure, whose cause is an ApplicationFailure typed by the error's code.
 */
export async function perform<Name extends keyof Activities>(
  name: Name,
  request: Parameters<Activities[Name]>[0],
  { summary, timeoutMs = 120_000, attempts = defaults.retries + 1, heartbeatTimeoutMs = 10_000 }: PerformOptions,
): Promise<Awaited<ReturnType<Activities[Name]>>> {
  const endsAtMs = Date.now() + (timeoutMs + 60_000) * attempts + defaults.awayMs;
  const options: ActivityOptions = {
    taskQueue: taskQueues[queueOf[name]],
    startToCloseTimeout: timeoutMs + 2 * heartbeatTimeoutMs,
    heartbeatTimeout: heartbeatTimeoutMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s', maximumAttempts: attempts },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    summary: summary.replaceAll(/\s+/g, ' ').slice(0, 120),
  };
  // Each activity takes one request; the proxy's tuple types can't say so for all of them at once.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as it says above
  const activity = proxies[name] as unknown as {
    executeWithOptions(
      options: ActivityOptions,
      args: [typeof request],
    ): Promise<Awaited<ReturnType<Activities[Name]>>>;
  };
  for (let lostTries = attempts; ; lostTries += attempts) {
    try {
      return await activity.executeWithOptions(
        { ...options, scheduleToCloseTimeout: Math.max(endsAtMs - Date.now(), 1) },
        [request],
      );
    } catch (error) {
      if (!isLost(error) || lostTries >= defaults.lostTries) throw error;
    }
  }
}

/** Whether the try was lost: its worker died, stalled or was told to stop, so its result is unknown. */
function isLost(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return (
    (cause instanceof TimeoutFailure && cause.timeoutType === 'HEARTBEAT') ||
    (cause instanceof ApplicationFailure && cause.type === 'worker-shutdown')
  );
}
