/** The one way in which workflow code asks the world for something. */
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
  /** What an operator reads beside the activity's name in the timeline. */
  summary: string;
  /** How long one try may take; 2 minutes where missing. */
  timeoutMs?: number;
  /** How often it may be tried in all where something around it broke; tries that were lost with their worker aside. */
  attempts?: number;
  heartbeatTimeoutMs?: number;
}

/**
 * Asks for one activity, with a bound on every try, on their number and on the whole. Temporal counts a try that was
 * lost with its worker like one that failed; where none is left after such a one, they are counted anew, a few times.
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

/** The worker died, stood still or was told to stop: nothing is known of the try. */
function isLost(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return (
    (cause instanceof TimeoutFailure && cause.timeoutType === 'HEARTBEAT') ||
    (cause instanceof ApplicationFailure && cause.type === 'worker-shutdown')
  );
}
