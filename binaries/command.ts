import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';

export interface CommandOutcome {
  /** Undefined where the program could not be started at all, or didn't end in time. */
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; never throws. */
export function runCommand(
  program: string,
  words: string[],
  options: { env: Record<string, string | undefined>; timeoutMs: number; cwd?: string },
): Promise<CommandOutcome> {
  const { env, timeoutMs, cwd } = options;
  return new Promise((resolve) => {
    execFile(
      program,
      words,
      { env, timeout: timeoutMs, maxBuffer: 1 << 24, ...(cwd === undefined ? {} : { cwd }) },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
        resolve({ exitCode, stdout, stderr });
      },
    );
  });
}

/** Whether there is such a program and it tells its version. */
export async function answersVersion(path: string, env: Record<string, string | undefined>): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
  } catch {
    return false;
  }
  return (await runCommand(path, ['--version'], { env, timeoutMs: 10_000 })).exitCode === 0;
}
