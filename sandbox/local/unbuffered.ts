/** The library by which `stdbuf` makes a program write at once; found once a process by asking stdbuf. */
import { execa } from 'execa';

let found: Promise<string> | undefined;

/** Empty where there is none: then the supervisor starts stdbuf itself, or does without. */
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
