import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinary } from '../../binaries/ensure-binary.ts';
import type { CommandResult, CommandSpec, Sandbox, SandboxSpec } from '../../sandbox/contract.ts';

const cacheDir = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'jig', 'binaries');

export async function findBwrap(): Promise<string> {
  return await ensureBinary('bwrap', { cacheDir, env: process.env });
}

/** A folder that goes away at the end of its block. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'jig-sandbox-'));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

export const mebibyte = 1 << 20;

export function sandboxSpec(id: string, changes: Partial<SandboxSpec> = {}): SandboxSpec {
  return {
    id,
    resources: { cpu: 1, memoryBytes: 512 * mebibyte, diskBytes: 512 * mebibyte, processes: 100 },
    egress: [],
    env: {},
    leaseMs: 3600_000,
    ...changes,
  };
}

export function shell(key: string, script: string, changes: Partial<CommandSpec> = {}): CommandSpec {
  return { key, argv: ['sh', '-c', script], timeoutMs: 20_000, outputCapBytes: mebibyte, ...changes };
}

/** Runs a script to its end and reads its output. */
export async function runShell(sandbox: Sandbox, key: string, script: string, changes: Partial<CommandSpec> = {}) {
  return await withOutput(await sandbox.run(shell(key, script, changes)));
}

async function withOutput(result: CommandResult) {
  const [stdout, stderr] = await Promise.all([
    readFile(result.stdout.path, 'utf8'),
    readFile(result.stderr.path, 'utf8'),
  ]);
  return { result, stdout, stderr };
}
