import { access, constants } from 'node:fs/promises';
import { execa } from 'execa';

export interface ProgramResult {
  /** Undefined if the program could not be started or didn't end in time. */
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, with only the given environment. Never throws. */
export async function runProgram(
  program: string,
  words: string[],
  { env, timeoutMs, cwd }: { env: Record<string, string | undefined>; timeoutMs: number; cwd?: string },
): Promise<ProgramResult> {
  const result = await execa(program, words, {
    env,
    extendEnv: false,
    timeout: timeoutMs,
    reject: false,
    stdin: 'ignore',
    ...(cwd !== undefined && { cwd }),
  });
  return { exitCode: result.exitCode, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
}

/** Whether the program exists and prints its version. */
export async function answersVersion(path: string, env: Record<string, string | undefined>): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
  } catch {
    return false;
  }
  return (await runProgram(path, ['--version'], { env, timeoutMs: 10_000 })).exitCode === 0;
}
