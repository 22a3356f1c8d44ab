/** Programs that run as long as a cluster does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Daemon } from './daemons.ts';

export interface Running {
  /** Kills it and waits until it is gone. Repeatable. */
  stop(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

const tailLines = 15;

/** Starts a program, its output in `logs`. Where it ends without having been stopped, `onEnd` gets why. */
export async function startDaemon(
  { name, program, words }: Daemon,
  logs: string,
  onEnd: (error: Error) => void,
): Promise<Running> {
  const path = join(logs, `${name}.log`);
  const log = await open(path, 'a');
  const child = spawn(program, words, { stdio: ['ignore', log.fd, log.fd] });
  await once(child, 'spawn');
  await log.close();
  let isStopped = false;
  const ended = (async () => {
    await once(child, 'exit');
    if (isStopped) return;
    const tail = (await readFile(path, 'utf8')).trimEnd().split('\n').slice(-tailLines).join('\n');
    onEnd(new Error(`${name} ended by itself (${child.signalCode ?? child.exitCode}). Its last words:\n${tail}`));
  })();
  return {
    async stop() {
      isStopped = true;
      child.kill('SIGKILL');
      await ended;
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
