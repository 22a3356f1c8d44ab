/**
 * Who holds a lock or a claim: a process, told apart from whoever gets its number after it. A container that is started
 * again has the same host name and often the same process id, so the number alone says nothing.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';

/** `start` is when the process began, as the kernel tells it; undefined where it doesn't. */
export const ProcessIdentity = z.strictObject({
  host: z.string(),
  pid: z.number().int().positive(),
  start: z.string().optional(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

let own: Promise<ProcessIdentity> | undefined;

/** This process. */
export function identifySelf(): Promise<ProcessIdentity> {
  own ??= findStart(process.pid).then((start) => ({
    host: hostname(),
    pid: process.pid,
    ...(start !== undefined && { start }),
  }));
  return own;
}

/** Whether the process is known to have ended. Of another machine's nothing is known. */
export async function hasEnded({ host, pid, start }: ProcessIdentity): Promise<boolean> {
  if (host !== hostname()) return false;
  if (!isAlive(pid)) return true;
  return start !== undefined && (await findStart(pid)) !== start;
}

/** Whether a process of this machine has this number. One that belongs to somebody else lives too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Unique among the processes that ever had the number: the boot, and the clock ticks since. */
async function findStart(pid: number): Promise<string | undefined> {
  try {
    const [boot, line] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The program's name stands in brackets and may hold anything, also brackets.
    const ticks = line.slice(line.lastIndexOf(')') + 2).split(' ')[19];
    return ticks && `${boot.trim()} ${ticks}`;
  } catch {
    return undefined;
  }
}
