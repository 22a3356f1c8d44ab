/** The command line as a process, without the bootstrap before it. */
import { join } from 'node:path';
import { execa } from 'execa';

export const root = join(import.meta.dirname, '..', '..');
export const main = join(root, 'cli', 'main.ts');

export interface Said {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** An environment in which no Temporal, no model and no data of this machine is found. */
export function quietEnv(more: Record<string, string> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:TEMPORAL_|OPENAI_|JIG_|NO_COLOR|FORCE_COLOR|NODE_TEST)/.test(name),
  );
  return {
    ...Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    ...more,
  };
}

interface Where {
  env?: Record<string, string>;
  cwd?: string;
}

export async function jig(args: string[], { input = '', ...where }: Where & { input?: string } = {}): Promise<Said> {
  const child = spawnJig(args, where);
  child.stdin.end(input);
  const { exitCode = -1, stdout, stderr } = await child;
  return { exitCode, stdout, stderr };
}

/** The same, left running. */
export function spawnJig(args: string[], { env = {}, cwd = root }: Where = {}) {
  return execa(process.execPath, [main, ...args], { cwd, env: quietEnv(env), extendEnv: false, reject: false });
}
