/** Measures `jig up` as a whole process: the time from the command to ready, and the memory of an idle worker. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { median, type Measurement } from './measurement.ts';

const root = dirname(import.meta.dirname);
const rounds = 3;
/** The time after which the garbage of the start is collected. */
const settleMs = 5000;

export async function upAndIdle(): Promise<Measurement[]> {
  const upMs: number[] = [];
  const workerMb: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const dataDir = await mkdtemp(join(tmpdir(), 'jig-bench-up-'));
    const env = { ...process.env, JIG_DATA_DIR: dataDir };
    const startedAt = performance.now();
    await using up = start(['up', '--json'], env);
    const places: { temporal: string } = JSON.parse(await up.until('stdout', /^\{[^]*^\}\n/m));
    upMs.push(performance.now() - startedAt);
    await using worker = start(['worker'], { ...env, TEMPORAL_ADDRESS: places.temporal });
    await worker.until('stderr', /worker is ready/);
    await wait(settleMs);
    workerMb.push(await residentMb(worker.child));
    up.onDisposed(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  }
  return [
    { what: '`jig up` to ready', unit: 'ms', measured: median(upMs), goal: { kind: 'at-most', limit: 5000 } },
    { what: 'memory of an idle worker (RSS)', unit: 'MB', measured: median(workerMb) },
  ];
}

function start(words: string[], env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [join(root, 'bin', 'jig.mjs'), ...words], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (said[stream] += text));
  let afterwards = async (): Promise<void> => {};
  return {
    child,
    onDisposed: (work: () => Promise<void>) => (afterwards = work),
    /** Waits for a text in the output, and returns the output so far. */
    async until(stream: 'stdout' | 'stderr', wanted: RegExp): Promise<string> {
      const deadline = AbortSignal.timeout(60_000);
      while (!wanted.test(said[stream])) {
        const more = await Promise.race([
          once(child[stream], 'data', { signal: deadline }),
          ended.then(() => undefined),
        ]);
        if (!more && !wanted.test(said[stream])) throw new Error(`jig ${words.join(' ')} ended early:\n${said.stderr}`);
      }
      return said[stream];
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      await afterwards();
    },
  };
}

async function residentMb({ pid }: ChildProcess): Promise<number> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
