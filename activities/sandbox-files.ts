/**
 * A sandbox as the agent's tools use it. Every operation is one command with a key, so a repeated activity repeats
 * nothing.
 */
import { isUtf8 } from 'node:buffer';
import type { ToolOperations } from '../agent/operations.ts';
import { defaults } from '../base/defaults.ts';
import { createMatcher } from '../git/globs.ts';
import type { Sandbox } from '../sandbox/contract.ts';
import { readFile, SandboxFileError, writeFile } from '../sandbox/files.ts';
import { checkOwnEnd, workSignal } from './activity.ts';
import { readToolOutput } from './captured-output.ts';
import type { CallTool } from './contract.ts';

export function createOperations(
  sandbox: Sandbox,
  {
    key,
    env,
    outputMaxCharacters = defaults.agent.toolOutputMaxCharacters,
    allowPaths,
  }: Pick<CallTool, 'key' | 'env' | 'allowPaths'> & Partial<Pick<CallTool, 'outputMaxCharacters'>>,
): ToolOperations {
  let count = 0;
  const nextKey = (): string => `${key}/${(count += 1)}`;
  return {
    workspaceDir: '/work',
    writable: allowPaths && { globs: allowPaths, matches: createMatcher(allowPaths) },
    readFile: (path, maxBytes) => readText(sandbox, nextKey(), path, maxBytes),
    writeFile: (path, text) => writeFile(sandbox, nextKey(), path, Buffer.from(text), { signal: workSignal() }),
    async runCommand(argv, timeoutMs) {
      const signal = workSignal();
      const result = await sandbox.run(
        { key: nextKey(), argv, env, timeoutMs, outputCapBytes: defaults.output.artifactMaxBytes },
        { signal },
      );
      checkOwnEnd(result, signal);
      const [stdout, stderr] = await Promise.all([
        readToolOutput(result.stdout, outputMaxCharacters),
        readToolOutput(result.stderr, outputMaxCharacters),
      ]);
      return {
        exitCode: result.exitCode,
        ending: result.ending,
        stdout,
        stderr,
        droppedBytes: result.stdout.droppedBytes + result.stderr.droppedBytes,
      };
    },
  };
}

/** Reads a file; undefined if there is none. @throws SandboxFileError for every other problem */
async function readText(sandbox: Sandbox, key: string, path: string, maxBytes: number) {
  try {
    const { bytes, truncated, sizeBytes } = await readFile(sandbox, key, path, { maxBytes, signal: workSignal() });
    return {
      text: truncated ? undefined : Buffer.from(bytes).toString(),
      sizeBytes,
      isUtf8: isUtf8(bytes),
    };
  } catch (error) {
    if (error instanceof SandboxFileError && error.problem === 'not-found') return undefined;
    throw error;
  }
}
