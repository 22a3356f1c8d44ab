/** Points of a run at which a worker is killed, stopped or held: named by what is done to the world there. */
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { z } from 'zod';

/** `after command start`, with run ids and commits out of the name: the same point in every run. */
export type Point = `${'before' | 'during' | 'after'} ${string}`;

export const Trap = z.strictObject({
  point: z.string(),
  /**
   * `kill`: the worker is gone; `wait`: it waits there for its death; `stop`: it stands still with nothing else in hand;
   * `freeze`: it stands still in the middle of everything; `hold`: it goes on when its activity is cancelled; `mark`:
   * nothing.
   */
  does: z.enum(['kill', 'wait', 'stop', 'freeze', 'hold', 'mark']),
});
export type Trap = z.infer<typeof Trap>;

/** For a trap into which any run may go. */
export const anyRun = 'any';

/** Where a trap is laid for the worker, and where it is found once it has sprung. `journey`: whose run goes into it. */
export const trapFiles = (folder: string, journey: string = anyRun) => ({
  laid: join(folder, `trap-${journey}.json`),
  sprung: join(folder, `sprung-${journey}.json`),
});

/** @param sandboxId tells whose run it is, outside of activities */
export type PassPoint = (point: Point, sandboxId?: string) => Promise<void>;

/** A trap springs once, for whichever worker comes first: the file is taken away before anything else. */
export function createPoints(folder: string): PassPoint {
  return async (point, sandboxId) => {
    const files = [anyRun, findJourney(sandboxId)].map((journey) => journey && trapFiles(folder, journey));
    for (const { laid, sprung } of files.filter((each) => each !== undefined && each !== '')) {
      const trap = findTrap(laid);
      if (trap?.point !== point) continue;
      renameSync(laid, sprung);
      if (trap.does === 'kill') process.kill(process.pid, 'SIGKILL');
      if (trap.does === 'wait') await new Promise(() => {});
      if (trap.does === 'freeze') process.kill(process.pid, 'SIGSTOP');
      if (trap.does === 'hold') await Context.current().cancelled.catch(onlyCancelled);
      if (trap.does === 'stop') await stop();
    }
  };
}

/** The journey to which what happens now belongs: its name is in the run's id, and in those of its checks' sandboxes. */
function findJourney(sandboxId = ''): string | undefined {
  const id = findActivity()?.info.workflowExecution?.workflowId ?? sandboxId;
  return /\bacme\/([a-z0-9-]+?)(?:\/|-[0-9a-f]{40}$)/.exec(id)?.[1];
}

function findActivity(): Context | undefined {
  try {
    return Context.current();
  } catch {
    return undefined;
  }
}

/** Stops taking work first: what the server gives to a process that stands still waits for its timeout, task by task, which takes a test long. */
async function stop(): Promise<void> {
  process.kill(process.pid, 'SIGTERM');
  await wait(300);
  process.kill(process.pid, 'SIGSTOP');
}

function findTrap(file: string): Trap | undefined {
  try {
    return Trap.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function onlyCancelled(error: unknown): void {
  if (!(error instanceof CancelledFailure)) throw error;
}

/** A name for what belongs to one run, without what differs between runs. */
export function nameless(key: string): string {
  return key
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'run')
    .replaceAll(/[0-9a-f]{40}/g, 'commit')
    .replace(/^ci-[^/]+\/[^/]+-commit/, 'ci');
}
