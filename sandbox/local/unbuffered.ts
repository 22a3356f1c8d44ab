/** Finds the library by which `stdbuf` turns off a program's buffering. stdbuf is asked once for each process. */
import { execa } from 'execa';

let found: Promise<string> | undefined;

/** The library's path; empty if there is none. Then the supervisor starts stdbuf itself, or goes on without. */
export function findUnbufferedLibrary(): Promise<string> {
  found ??= askStdbuf();
  return found;
}

async function askStdbuf(): Promise<string> {
  const result = await execa('stdbuf', ['-o0', 'env'], {
    timeout: 10_000,
    env: { PATH: process.env['PATH'] ?? '' },
    extendEnv: false,
    reject: false,
  });
  return result.failed ? '' : (/^LD_PRELOAD=(\/[^\s:]+)$/m.exec(result.stdout)?.[1] ?? '');
}
