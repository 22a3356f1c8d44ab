/** The library by which `stdbuf` makes a program write at once; found once a process by asking stdbuf. */
import { execFile } from 'node:child_process';

let found: Promise<string> | undefined;

/** Empty where there is none: then the supervisor starts stdbuf itself, or does without. */
export function findUnbufferedLibrary(): Promise<string> {
  found ??= new Promise((resolve) => {
    execFile(
      'stdbuf',
      ['-o0', 'env'],
      { timeout: 10_000, env: { PATH: process.env['PATH'] ?? '' } },
      (error, stdout) => {
        const library = /^LD_PRELOAD=(\/[^\s:]+)$/m.exec(stdout)?.[1];
        resolve(error ? '' : (library ?? ''));
      },
    );
  });
  return found;
}
