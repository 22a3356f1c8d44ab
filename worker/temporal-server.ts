/** The embedded Temporal: Temporal's own dev server, with a database file and flags that the defaults lack. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { execa } from 'execa';
import { z } from 'zod';
import { JigError } from '../base/errors.ts';
import { searchAttributes } from '../workflows/messages.ts';
import { getFreePort } from './free-port.ts';

export interface TemporalServer {
  address: string;
  uiUrl: string;
  pid: number;
  stop(): Promise<void>;
}

export interface TemporalServerOptions {
  cliPath: string;
  dbFile: string;
  logFile: string;
  /** The ports; free ones if missing. */
  port?: number;
  uiPort?: number;
  startTimeoutMs?: number;
}

/** How many characters of its last output an error shows. */
const saidCharacters = 2000;

const cliTypes = { KEYWORD: 'Keyword', BOOL: 'Bool', DOUBLE: 'Double', INT: 'Int' } as const;

/**
 * How often to try with new ports. The server finds a dozen ports for its own parts and opens them later; meanwhile
 * other programs can take them. It opens the port of its web pages last, and ends if it can't, although it may have
 * answered calls before.
 */
const portAttempts = 3;

/**
 * Starts the server and waits until it answers. @throws JigError `temporal-not-started` with its last output and the
 * log's path
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { dbFile, logFile, startTimeoutMs = 30_000 } = options;
  await mkdir(dirname(dbFile), { recursive: true });
  await stopLeftover(dbFile);
  for (let attempt = 1; ; attempt += 1) {
    const started = await tryStart(options, Date.now() + startTimeoutMs);
    if ('server' in started) return started.server;
    if (started.said.includes('address already in use') && attempt < portAttempts) continue;
    const said = started.said.trim().split('\n').at(-1);
    throw new JigError(
      'temporal-not-started',
      `Temporal's dev server did not start${said ? `: ${said}` : ''}; its log is ${logFile}`,
      { cause: started.cause },
    );
  }
}

async function tryStart(
  options: TemporalServerOptions,
  deadlineMs: number,
): Promise<{ server: TemporalServer } | { said: string; cause: unknown }> {
  const { cliPath, dbFile, logFile } = options;
  const port = options.port ?? (await getFreePort());
  const uiPort = options.uiPort ?? (await getFreePort());
  const child = spawn(cliPath, serverArguments(port, uiPort, dbFile), {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let cause: unknown;
  child.once('error', (error) => (cause = error));
  const log = createWriteStream(logFile, { flags: 'a' });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  let said = '';
  // Some of its parts write their last words to one stream, some to the other.
  for (const output of [child.stdout, child.stderr])
    output.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-saidCharacters)));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const address = `127.0.0.1:${port}`;
  const uiUrl = `http://127.0.0.1:${uiPort}`;
  await writeFile(pidFile(dbFile), String(child.pid));
  if (await answers(child, address, uiUrl, deadlineMs))
    return { server: { address, uiUrl, pid: child.pid ?? 0, stop: () => stop(child) } };
  await stop(child);
  await ended;
  return { said, cause };
}

/**
 * The server's flags. Without them a sequential workflow takes about 50 ms for each activity: the server polls its one
 * transfer queue at most 20 times a second, and syncs its file on every write.
 */
function serverArguments(port: number, uiPort: number, dbFile: string): string[] {
  return [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--ui-port',
    String(uiPort),
    '--db-filename',
    dbFile,
    '--log-level',
    'warn',
    '--dynamic-config-value',
    'history.transferProcessorMaxPollRPS=2000',
    '--sqlite-pragma',
    'journal_mode=WAL',
    '--sqlite-pragma',
    'synchronous=NORMAL',
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${cliTypes[type]}`]),
  ];
}

const pidFile = (dbFile: string): string => `${dbFile}.pid`;

/** Stops a server that a killed process left behind. Two servers on one file would damage it. */
async function stopLeftover(dbFile: string): Promise<void> {
  const pid = Number(await readFile(pidFile(dbFile), 'utf8').catch(() => ''));
  if (!pid || !(await isServerOf(pid, dbFile))) return;
  process.kill(pid, 'SIGTERM');
  for (const deadlineMs = Date.now() + 10_000; await isServerOf(pid, dbFile); await wait(50)) {
    if (Date.now() > deadlineMs) process.kill(pid, 'SIGKILL');
  }
}

/** Whether this process is alive and serves this file. The number alone may be another process's by now. */
async function isServerOf(pid: number, dbFile: string): Promise<boolean> {
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (words !== '' || process.platform === 'linux') return words.includes(dbFile);
  const { stdout } = await execa('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { reject: false });
  return stdout.includes(dbFile);
}

/**
 * Waits for the server. Returns whether it answers before it ends or the deadline passes. Its web pages are checked
 * first, since their port opens last.
 */
async function answers(child: ChildProcess, address: string, uiUrl: string, deadlineMs: number): Promise<boolean> {
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null && Date.now() < deadlineMs) {
    try {
      const callDeadlineMs = Math.min(deadlineMs, Date.now() + 5000);
      // Another server's pages may be on this port.
      if ((await readClusterIdOfUi(uiUrl, callDeadlineMs)) === (await readClusterId(address, callDeadlineMs)))
        return true;
    } catch {
      // It isn't ready yet.
    }
    await wait(20);
  }
  return false;
}

async function readClusterIdOfUi(uiUrl: string, deadlineMs: number): Promise<string> {
  const response = await fetch(new URL('/api/v1/cluster-info', uiUrl), {
    signal: AbortSignal.timeout(Math.max(0, deadlineMs - Date.now())),
  });
  return z.object({ clusterId: z.string() }).parse(await response.json()).clusterId;
}

async function readClusterId(address: string, deadlineMs: number): Promise<string> {
  const connection = await Connection.connect({ address, connectTimeout: 1000 });
  try {
    // Without its own deadline, a call may wait for ever.
    return await connection.withDeadline(deadlineMs, async () => {
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      return (await connection.workflowService.getClusterInfo({})).clusterId;
    });
  } finally {
    await connection.close();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killed = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(killed);
}
