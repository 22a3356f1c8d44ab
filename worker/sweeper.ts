/**
 * Removes sandboxes that nobody needs, since terminations and crashes skip every clean-up. What an open run may need
 * stays, whatever its age, and its lease is renewed.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import { isRemoved } from '../activities/removed-sandboxes.ts';
import type { Parts } from '../activities/parts.ts';
import type { ListedSandbox } from '../sandbox/contract.ts';

const sweepEveryMs = 60_000;
/** A younger sandbox stays: a sandbox is made before its run can be asked about it. */
const graceMs = 120_000;

interface Sweeper {
  parts: Pick<Parts, 'sandboxes' | 'artifacts' | 'leaseMs'>;
  client: Client;
  log: Logger;
}

/** Sweeps at intervals until the signal aborts. */
export async function runSweeper(sweeper: Sweeper, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweep(sweeper).catch((error: unknown) => sweeper.log.warn({ err: error }, 'sweep failed'));
    await wait(sweepEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Sweeps once and returns the ids that it removed. A sandbox stays unless it is certain that nobody needs it. */
export async function sweep(sweeper: Sweeper, nowMs = Date.now()): Promise<string[]> {
  const { parts, log } = sweeper;
  const removed: string[] = [];
  const isRunning = askOnce(sweeper.client);
  for (const sandbox of await parts.sandboxes.listSandboxes()) {
    const { id, owner } = sandbox;
    try {
      const reason = await findRemovalReason(parts, sandbox, { nowMs, isRunning });
      if (reason === undefined) continue;
      await parts.sandboxes.destroySandbox(id);
      log.info({ sandbox: id, owner, reason }, 'removed a sandbox');
      removed.push(id);
    } catch (error) {
      log.warn({ sandbox: id, owner, err: error }, 'a sandbox was kept: it could not be checked or removed');
    }
  }
  return removed;
}

/** Why nobody needs the sandbox; undefined if it may be needed, and then its lease is renewed. */
async function findRemovalReason(
  { artifacts, sandboxes, leaseMs }: Sweeper['parts'],
  { id, owner, createdAt, leasedUntil }: ListedSandbox,
  { nowMs, isRunning }: { nowMs: number; isRunning: (owner: string) => Promise<boolean> },
): Promise<string | undefined> {
  if (Date.parse(createdAt) + graceMs > nowMs) return undefined;
  if (await isRemoved(artifacts, id)) return 'its run removed it';
  const leftMs = Date.parse(leasedUntil) - nowMs;
  if (owner === undefined) return leftMs > 0 ? undefined : 'its lease is over';
  if (!(await isRunning(owner))) return 'its run has ended';
  if (leftMs < leaseMs / 2) await sandboxes.renewSandbox(id, leaseMs);
  return undefined;
}

/**
 * Makes a function that tells whether a run is open. It asks once about each run. If Temporal doesn't answer, it throws
 * and doesn't ask again.
 */
function askOnce(client: Client): (workflowId: string) => Promise<boolean> {
  const answers = new Map<string, boolean>();
  let silence: unknown;
  return async (workflowId) => {
    if (silence !== undefined) throw silence;
    const known = answers.get(workflowId);
    if (known !== undefined) return known;
    try {
      const isRunning = (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
      answers.set(workflowId, isRunning);
      return isRunning;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) {
        silence = error;
        throw error;
      }
      answers.set(workflowId, false);
      return false;
    }
  };
}
