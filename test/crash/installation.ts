/**
 * An installation whose worker can die: a Temporal server, worker processes one after the other on the same data, the
 * local forge, a model behind HTTP; and ledgers of what was done, kept by none of them.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { ensureBinary } from '../../binaries/ensure-binary.ts';
import { createClient, reconnecting, type JigClient } from '../../client/client.ts';
import { dataFolders } from '../../client/data-folders.ts';
import { createLocalForge, type LocalForge } from '../../forge/local/local-forge.ts';
import type { ScriptInput } from '../../model/script.ts';
import { startScriptedServer, type ScriptedServer } from '../../model/scripted-server.ts';
import { cacheDirOf } from '../../worker/config.ts';
import { startTemporalServer, type TemporalServer } from '../../worker/temporal-server.ts';
import { bundleWorkflows } from '../../worker/workflow-bundle.ts';
import { anyRun, trapFiles, type Trap } from './points.ts';

const heartbeatTimeoutMs = 1000;
/** Until a run has come to its next trap. */
const trapTimeoutMs = 3 * 60_000;

let bundled: ReturnType<typeof bundleWorkflows> | undefined;
const bundle = () => (bundled ??= bundleWorkflows(process.env));

interface WorkerHandle {
  process: ChildProcess;
  /** The signal or code that ended it. */
  ended: Promise<NodeJS.Signals | number | null>;
  /** Lets it take work. */
  go(): void;
}

export interface Installation extends AsyncDisposable {
  client: JigClient;
  forge: LocalForge;
  model: ScriptedServer;
  dataDir: string;
  server: TemporalServer;
  /** The worker that takes work now. */
  worker: WorkerHandle;
  /** The next worker takes work; the last one may be dead, or not. */
  takeOver(): void;
  /** @param journey whose run goes into it; any, if missing */
  layTrap(trap: Trap, journey?: string): Promise<void>;
  /** Resolves when a worker has come to the trap. */
  sprung(journey?: string): Promise<void>;
  /** Resolves when the model's server has noted such an entry. */
  asked(outcome: ScriptedServer['ledger'][number]['outcome']): Promise<void>;
  /** Folders of the commands that were launched since the last call. */
  takeLaunches(): Promise<string[]>;
  /** Waits for the death of the worker that takes work now, which its trap brings. */
  dies(): Promise<void>;
  /** Resolves when no sandbox is left, nor a part of one. */
  untilNoSandbox(deadlineMs: number): Promise<void>;
  /** Ends the Temporal server, and starts it again on its file and ports. */
  restartServer(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

export interface InstallationOptions {
  /** More of the workers' configuration. */
  config?: Record<string, unknown>;
  /** More of the workers' environment. */
  env?: Record<string, string>;
  /** How many workers are needed, one after the other. Those that wait have started already. */
  workers?: number;
  /** How many checks of CI run at once. */
  checksAtOnce?: number;
}

export async function createInstallation(
  script: ScriptInput,
  { config = {}, env: moreEnv = {}, workers: lives = 2, checksAtOnce = 1 }: InstallationOptions = {},
): Promise<Installation> {
  await using undo = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'jig-crash-'));
  undo.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const binaries = { cacheDir: join(cacheDirOf(process.env), 'binaries'), env: process.env };
  const [cliPath, bwrapPath, { code }, model] = await Promise.all([
    ensureBinary('temporal', binaries),
    ensureBinary('bwrap', binaries),
    bundle(),
    startScriptedServer(script),
  ]);
  undo.defer(() => model.close());
  const startServer = (ports: { port?: number; uiPort?: number } = {}) =>
    startTemporalServer({
      cliPath,
      dbFile: join(dataDir, 'temporal.db'),
      logFile: join(dataDir, 'temporal.log'),
      ...ports,
    });
  let server = await startServer();
  undo.defer(() => server.stop());
  const bundleFile = join(dataDir, 'workflows.js');
  await writeFile(bundleFile, code);
  await mkdir(dataFolders(dataDir).sandboxes, { mode: 0o700 });
  const ledger = await installLedger(dataDir, bwrapPath);
  const env = {
    ...process.env,
    PATH: `${ledger.binDir}:${process.env['PATH']}`,
    JIG_DATA_DIR: dataDir,
    OPENAI_BASE_URL: model.baseUrl,
    OPENAI_API_KEY: 'none',
    JIG_MODEL: 'scripted',
    ...moreEnv,
  };
  const settings = {
    bundleFile,
    address: server.address,
    namespace: 'default',
    trapFolder: dataDir,
    checksAtOnce,
    config: {
      runs: { heartbeatTimeoutMs },
      ci: { pollMs: 100 },
      worker: { shutdownGraceMs: 60_000, takeOverAfterMs: 300 },
      ...config,
    },
  };
  const workers: WorkerHandle[] = [];
  undo.defer(async () => {
    for (const { process: child } of workers) child.kill('SIGKILL');
    await Promise.all(workers.map(({ ended }) => ended));
  });
  const spawnWorker = (): WorkerHandle => {
    const handle = startWorkerProcess(JSON.stringify(settings), env);
    workers.push(handle);
    return handle;
  };
  const connection = await Connection.connect({ address: server.address, channelArgs: reconnecting });
  undo.defer(() => connection.close());
  const sandboxesDir = dataFolders(dataDir).sandboxes;
  const first = spawnWorker();
  let spare = lives > 1 ? spawnWorker() : undefined;
  const installation: Installation = {
    model,
    dataDir,
    client: createClient(new Client({ connection })),
    forge: createLocalForge({ rootDir: dataFolders(dataDir).forge }),
    worker: first,
    get server() {
      return server;
    },
    takeOver() {
      if (!spare) throw new Error('More workers than the test has said');
      installation.worker = spare;
      spare.go();
      spare = workers.length < lives ? spawnWorker() : undefined;
    },
    async layTrap(trap, journey) {
      const { laid, sprung } = trapFiles(dataDir, journey);
      await rm(sprung, { force: true });
      await writeFile(`${laid}.new`, JSON.stringify(trap));
      await rename(`${laid}.new`, laid);
    },
    sprung: (journey = anyRun) =>
      until(`a run has come to its trap (${journey})`, trapTimeoutMs, async () =>
        existsSync(trapFiles(dataDir, journey).sprung),
      ),
    async dies() {
      const { process: child, ended } = installation.worker;
      const timer = setTimeout(() => child.kill('SIGTERM'), trapTimeoutMs);
      const how = await ended;
      clearTimeout(timer);
      if (how !== 'SIGKILL')
        throw new Error(
          `The run never came to its trap: ${await readFile(trapFiles(dataDir).laid, 'utf8').catch(() => String(how))}`,
        );
    },
    asked: (outcome) =>
      until(`the model has noted ${outcome}`, trapTimeoutMs, async () =>
        model.ledger.some((entry) => entry.outcome === outcome),
      ),
    takeLaunches: ledger.take,
    async untilNoSandbox(deadlineMs) {
      let left: string[] = [];
      await until(
        () => `no sandbox is left, of ${left.join(', ')}`,
        deadlineMs,
        async () => (left = await readdir(sandboxesDir)).length === 0,
      );
    },
    async restartServer(signal) {
      const { pid, address, uiUrl } = server;
      process.kill(pid, signal);
      await server.stop();
      server = await startServer({
        port: Number(new URL(`tcp://${address}`).port),
        uiPort: Number(new URL(uiUrl).port),
      });
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
  first.go();
  const all = undo.move();
  return installation;
}

/** Looks now and then; what is waited for is another process's doing. */
async function until(what: string | (() => string), deadlineMs: number, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > giveUpAt)
      throw new Error(`Not within ${deadlineMs} ms: ${typeof what === 'string' ? what : what()}`);
    await wait(20);
  }
}

function startWorkerProcess(settings: string, env: NodeJS.ProcessEnv): WorkerHandle {
  const program = fileURLToPath(new URL('worker.ts', import.meta.url));
  const child = spawn(process.execPath, [program, settings], { env, stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(child, 'exit').then(
    ([code, signal]: (NodeJS.Signals | number | null)[]) => signal ?? code ?? null,
  );
  return { process: child, ended, go: () => child.stdin?.write('go\n') };
}

/** What each new worker asks for their settings, a second of processor time; no command here uses them. */
const unused = { python3: 'echo /usr', npm: 'exit 1' };

/** A bubblewrap first on the PATH that writes down every command that it is asked to start, and becomes the real one. */
async function installLedger(
  dataDir: string,
  bwrapPath: string,
): Promise<{ binDir: string; take(): Promise<string[]> }> {
  const binDir = join(dataDir, 'bin');
  const file = join(dataDir, 'launches.log');
  await mkdir(binDir);
  await writeFile(
    join(binDir, 'bwrap'),
    `#!/bin/sh\ncase $PWD in */commands/*) echo "$PWD" >>'${file}' ;; esac\nexec '${bwrapPath}' "$@"\n`,
  );
  await chmod(join(binDir, 'bwrap'), 0o755);
  for (const [name, does] of Object.entries(unused))
    await writeFile(join(binDir, name), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
  const take = async (): Promise<string[]> => {
    const text = await readFile(file, 'utf8').catch(() => '');
    await rm(file, { force: true });
    return text.split('\n').filter((line) => line !== '');
  };
  return { binDir, take };
}
