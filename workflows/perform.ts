/** The one way in which workflow code asks the world for something. */
import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import { taskQueues, type TaskQueue } from './messages.ts';

const queueOf: Record<keyof Activities, TaskQueue> = {
  openRun: 'forge',
  keepValue: 'forge',
  loadValue: 'forge',
  prepareSandbox: 'sandbox',
  runCommand: 'sandbox',
  applyEdit: 'sandbox',
  callTool: 'sandbox',
  exportCommit: 'sandbox',
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
  /** How often it may be tried in all where the infrastructure broke. */
  attempts?: number;
  heartbeatTimeoutMs?: number;
}

/**
 * Asks for one activity, with a bound on every try, on their number and on the whole.
 * @throws ActivityFailure, whose cause is an ApplicationFailure typed by the error's code.
 */
export async function perform<Name extends keyof Activities>(
  name: Name,
  request: Parameters<Activities[Name]>[0],
  { summary, timeoutMs = 120_000, attempts = 4, heartbeatTimeoutMs = 10_000 }: PerformOptions,
): Promise<Awaited<ReturnType<Activities[Name]>>> {
  const options: ActivityOptions = {
    taskQueue: taskQueues[queueOf[name]],
    startToCloseTimeout: timeoutMs + 2 * heartbeatTimeoutMs,
    scheduleToCloseTimeout: (timeoutMs + 60_000) * attempts + 3_600_000,
    heartbeatTimeout: heartbeatTimeoutMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s', maximumAttempts: attempts },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    summary: summary.replaceAll(/\s+/g, ' ').slice(0, 120),
  };
  // Each activity takes one request; the proxy's tuple types can't say so for all of them at once.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as it says above
  const activity = proxies[name] as unknown as {
    executeWithOptions(options: ActivityOptions, args: [typeof request]): Promise<Awaited<ReturnType<Activities[Name]>>>;
  };
  return activity.executeWithOptions(options, [request]);
}
