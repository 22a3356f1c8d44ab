/** Describes a command to its pod: its name there, its seal, and the words of the exec. */
import { createHmac } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { checkWords, commandEnvironment } from '../sandbox/command-environment.ts';
import type { CommandSpec } from '../sandbox/contract.ts';
import { CommandTooLong } from '../sandbox/errors.ts';
import { podPaths } from './pod-scripts.ts';

export interface CommandRequest {
  /** The name of its files in the pod. */
  name: string;
  /** The secret by which its supervisor vouches for its result. */
  seal: string;
  stdinBytes: number;
  /** The words of the exec that runs the command, or goes on after the output that was received already. */
  runWords: (received: { stdout: number; stderr: number }) => string[];
  stopWords: string[];
}

export interface CommandPlace {
  /** The pod's UID. */
  incarnation: string;
  /** The pod's secret. Anyone who has it can predict the names of commands' files, and vouch for results. */
  nonce: string;
  /** The environment of every command of the sandbox. */
  env: Record<string, string>;
}

/**
 * The limit on the encoded words. They travel in a request's address, and Go's servers accept 1 MiB of that and all
 * headers together.
 */
const maxEncodedBytes = 700_000;
/** Limits for each process: no core dumps, and this many open files. */
const limits = 'c=0 n=16384';
/** The names that a shell can export. Other names are set by `env`. */
const exportable = /^(?!(UID|EUID|PPID|SHELLOPTS|BASHOPTS|BASH_VERSINFO|OPTIND|LINENO)$)[A-Za-z_][A-Za-z0-9_]*$/;

/** @throws CommandTooLong */
export async function describeCommand(place: CommandPlace, spec: CommandSpec, live: boolean): Promise<CommandRequest> {
  const name = derive(place.nonce, 'command', spec.key).slice(0, 32);
  const { HOME: _home, ...env } = commandEnvironment(podPaths, place.env, spec.env ?? {});
  const stdinBytes = await lengthOf(spec.stdin);
  const settings = [
    `timeout=${spec.timeoutMs / 1000}`,
    `cap=${spec.outputCapBytes}`,
    `started=${Date.now()}`,
    `stdin=${stdinBytes}`,
    `live=${live ? 1 : 0}`,
    `limits=${limits}`,
    `cwd=${posix.join(podPaths.workspace, spec.cwd ?? '')}`,
    ...commandWords(env, spec.argv),
  ];
  checkLength(settings);
  // The pod's other supervisors read the command's name at the start of these words.
  const identity = [`command=${name}`, `incarnation=${place.incarnation}`];
  return {
    name,
    seal: derive(place.nonce, 'seal', spec.key),
    stdinBytes,
    runWords: ({ stdout, stderr }) => [
      '/bin/sh',
      `${podPaths.scripts}/run-command.sh`,
      ...identity,
      `out=${stdout}`,
      `err=${stderr}`,
      ...settings,
    ],
    stopWords: ['/bin/sh', `${podPaths.scripts}/stop-command.sh`, ...identity, 'cancelled'],
  };
}

function commandWords(env: Record<string, string>, argv: string[]): string[] {
  const variables = Object.entries(env).map(([name, value]) => ({ name, word: `${name}=${value}` }));
  const exported = variables.filter(({ name }) => exportable.test(name)).map(({ word }) => word);
  const others = variables.filter(({ name }) => !exportable.test(name)).map(({ word }) => word);
  // `env` takes a program with `=` in its name for a variable.
  const guard = argv[0]?.includes('=') ? ['/bin/sh', '-c', 'exec "$@"', 'sh'] : [];
  return [
    `env=${exported.length}`,
    '--',
    ...exported,
    ...(others.length > 0 ? ['env', ...others, ...guard] : []),
    ...argv,
  ];
}

function checkLength(words: string[]): void {
  checkWords(words);
  const bytes = words.reduce(
    (sum, word) => sum + 'command='.length + 1 + new URLSearchParams({ '': word }).toString().length,
    0,
  );
  if (bytes > maxEncodedBytes)
    throw new CommandTooLong(
      `its words and environment take ${bytes} bytes in a request to the API server; at most ${maxEncodedBytes} are allowed`,
    );
}

function derive(nonce: string, purpose: string, key: string): string {
  return createHmac('sha256', nonce).update(`${purpose}\0${key}`).digest('hex');
}

async function lengthOf(stdin: CommandSpec['stdin']): Promise<number> {
  if (stdin === undefined) return 0;
  return stdin instanceof Uint8Array ? stdin.length : (await stat(stdin.path)).size;
}
