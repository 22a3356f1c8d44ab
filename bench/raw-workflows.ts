/** The workflows without Jig, for comparison: plain Temporal workflows whose activities have the same effects. */
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { SandboxRef } from '../sandbox/contract.ts';
import type { RawActivities } from './raw-worker.ts';

const { rawCommand, rawAsk, rawAct } = proxyActivities<RawActivities>({ startToCloseTimeout: '1 minute' });

export async function rawSteps(sandbox: SandboxRef, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await rawCommand({ sandbox, key: `${workflowInfo().workflowId}/${index}` });
}

export async function rawTurns(sandbox: SandboxRef, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const turn = { sandbox, key: `${workflowInfo().workflowId}/${index}`, index };
    await rawAsk(turn);
    await rawAct(turn);
  }
}
