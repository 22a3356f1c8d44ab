/** Removes sandboxes whose run is closed or whose lifetime is over: termination and crashes skip every clean-up. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import type { SandboxProvider } from '../sandbox/contract.ts';

const sweepEveryMs = 60_000;
/** A sandbox is made before its run can be asked about it. */
const graceMs = 120_000;

/** Sweeps now and then until the signal. */
export async function runSweeper(
  sweeper: { sandboxes: SandboxProvider; client: Client; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sweep(sweeper).catch((error: unknown) => sweeper.log.warn({ err: error }, 'sweep failed'));
    await wait(sweepEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** One sweep; returns the ids that it removed. */
export async function sweep(
  { sandboxes, client, log }: { sandboxes: SandboxProvider; client: Client; log: Logger },
  nowMs = Date.now(),
): Promise<string[]> {
  const removed: string[] = [];
  for (const { id, owner, createdAt, expiresAt } of await sandboxes.listSandboxes()) {
    const expired = Date.parse(expiresAt) <= nowMs;
    const old = Date.parse(createdAt) + graceMs <= nowMs;
    if (!expired && (!owner || !old || (await isRunning(client, owner)))) continue;
    await sandboxes.destroySandbox(id);
    log.info({ sandbox: id, owner }, expired ? 'swept a sandbox past its lifetime' : 'swept a sandbox of a closed run');
    removed.push(id);
  }
  return removed;
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
