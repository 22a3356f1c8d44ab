/** Compares a supervised command with a bare spawn of the very same bubblewrap line. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinary } from '../binaries/ensure-binary.ts';
import type { CommandSpec } from '../sandbox/contract.ts';
import { isolatedLaunch } from '../sandbox/local/launch.ts';
import { filterName, findRecord, sandboxFolder } from '../sandbox/local/layout.ts';
import { createLocalProvider } from '../sandbox/local/provider.ts';
import { findToolchains } from '../sandbox/local/toolchains.ts';
import { cacheDirOf } from '../worker/config.ts';
import { alternate, type Measurement } from './measurement.ts';

const rounds = 31;
const id = 'bench';

export async function commandCost(): Promise<Measurement[]> {
  const rootDir = await mkdtemp(join(tmpdir(), 'jig-bench-'));
  const bwrapPath = await ensureBinary('bwrap', {
    cacheDir: join(cacheDirOf(process.env), 'binaries'),
    env: process.env,
  });
  const provider = createLocalProvider({ rootDir, bwrapPath });
  try {
    const sandbox = await provider.ensureSandbox({
      id,
      resources: { cpu: 1, memoryBytes: 1 << 30, diskBytes: 1 << 30, processes: 100 },
      egress: [],
      env: {},
      leaseMs: 600_000,
    });
    const command = (key: string): CommandSpec => ({ key, argv: ['true'], timeoutMs: 10_000, outputCapBytes: 1024 });
    const folder = sandboxFolder(rootDir, id);
    const record = await findRecord(folder);
    if (!record) throw new Error(`${folder} holds no sandbox`);
    const { words } = isolatedLaunch(
      {
        folder,
        record,
        spec: command('bare'),
        toolchains: await findToolchains(process.env['PATH']),
        egress: undefined,
      },
      bwrapPath,
    );
    await sandbox.run(command('warm'));
    const { ours, floor } = await alternate(
      rounds,
      (round) => timed(() => sandbox.run(command(`round-${round}`))),
      () => timed(() => spawnBare(words, join(folder, filterName))),
    );
    return [
      {
        what: 'a supervised command',
        unit: 'ms',
        measured: ours,
        floor: { what: 'a bare spawn of the same bwrap line', measured: floor },
        goal: { kind: 'extra', limit: 15 },
      },
    ];
  } finally {
    await provider.destroySandbox(id);
    await provider.close();
    await rm(rootDir, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/**
 * Spawns the line at the same priority as supervised commands, so that a busy machine doesn't distort the comparison.
 */
async function spawnBare(words: string[], filter: string): Promise<void> {
  const file = openSync(filter, 'r');
  // bubblewrap reports on descriptor 3, and reads its filter from descriptor 8.
  const child = spawn('nice', ['-n', '10', ...words], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'ignore', 'ignore', 'ignore', 'ignore', file],
  });
  closeSync(file);
  child.stdout?.resume();
  child.stderr?.resume();
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`bubblewrap ended with ${code}`);
}
