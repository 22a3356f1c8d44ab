/**
 * Identifies the process that holds a lock or a claim, and tells it apart from a later process with the same number. A
 * restarted container has the same host name and often the same process id, so the number alone says nothing.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';

/** A process. `start` is when it began, as the kernel reports it; undefined if the kernel doesn't. */
export const ProcessIdentity = z.strictObject({
  host: z.string(),
  pid: z.number().int().positive(),
  start: z.string().optional(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

let own: Promise<ProcessIdentity> | undefined;

/** The identity of this process. */
export function identifySelf(): Promise<ProcessIdentity> {
  own ??= findStart(process.pid).then((start) => ({
    host: hostname(),
    pid: process.pid,
    ...(start !== undefined && { start }),
  }));
  return own;
}

/** Whether the process is known to have ended. Nothing is known about processes of another machine. */
export async function hasEnded({ host, pid, start }: ProcessIdentity): Promise<boolean> {
  if (host !== hostname()) return false;
  if (!isAlive(pid)) return true;
  return start !== undefined && (await findStart(pid)) !== start;
}

/** Whether this machine has a process with this number, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Identifies the process among all that ever had its number: by the boot id, and the clock ticks since the boot. */
async function findStart(pid: number): Promise<string | undefined> {
  try {
    const [boot, line] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The program's name is in brackets and may hold anything, even brackets.
    const ticks = line.slice(line.lastIndexOf(')') + 2).split(' ')[19];
    return ticks && `${boot.trim()} ${ticks}`;
  } catch {
    return undefined;
  }
}
