import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { getCluster, openCluster } from './cluster.ts';
import { startPod } from './pods.ts';
import { readRecord } from './record.ts';
import { removeStale } from './start-cluster.ts';

const shared = await getCluster();
const goneTimeoutMs = 30_000;

interface Traces {
  /** Its folder. */
  state: string;
  /** The network device of this machine that leads to it. */
  cable: string;
}

describe('a second cluster', { skip: shared.cannotSwitch !== undefined }, () => {
  let folder: string;
  const started: ChildProcess[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jig-second-cluster-'));
  });
  afterAll(async () => {
    for (const up of started) up.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  /** Started by a process of its own, with a pod in it. */
  async function start(): Promise<{ up: ChildProcess; traces: Traces }> {
    const path = join(folder, 'cluster.json');
    // It dies with this process, whatever ends that.
    const up = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, join(import.meta.dirname, 'up.ts'), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(up);
    for await (const line of createInterface({ input: up.stdout })) if (line.includes(path)) break;
    const cluster = await openCluster(path);
    await startPod(cluster, {
      namespace: await cluster.createNamespace(),
      name: 'idle',
      command: ['sleep', 'infinity'],
    });
    const { kubeconfig, hostAddress = '' } = await readRecord(path);
    return { up, traces: { state: dirname(kubeconfig), cable: `jig${hostAddress.split('.')[2]}` } };
  }

  it('runs beside the first, and is gone when it is stopped', async () => {
    const { up, traces } = await start();
    assert.ok((await remains(traces)).length >= 5, 'what is looked for does not exist');
    up.kill('SIGTERM');
    await once(up, 'exit');
    assert.deepEqual(await remains(traces), []);
    assert.equal(await shared.kubectl('get', '--raw=/readyz'), 'ok');
  });

  it('is gone when the process that started it is killed', async () => {
    const { up, traces } = await start();
    up.kill('SIGKILL');
    await gone(traces);
  });

  it('leaves only files and cgroups when its machine is killed too, and the next start removes them', async () => {
    const { up, traces } = await start();
    const { stdout } = await execa('pgrep', ['--full', `machine.sh run ${traces.state}`]);
    up.kill('SIGSTOP');
    process.kill(Number(stdout.split('\n')[0]), 'SIGKILL');
    up.kill('SIGKILL');
    await once(up, 'exit');
    await removeStale();
    await gone(traces);
  });
});

async function gone(traces: Traces): Promise<void> {
  const deadline = Date.now() + goneTimeoutMs;
  while ((await remains(traces)).length > 0) {
    if (Date.now() > deadline) assert.fail(`left behind: ${(await remains(traces)).join(', ')}`);
    await delay(100);
  }
}

/** What there is of a cluster on this machine: its folder, cgroups, processes in them, programs, mounts and cable. */
async function remains({ state, cable }: Traces): Promise<string[]> {
  const name = basename(state);
  const found: string[] = await access(state).then(
    () => [state],
    () => [],
  );
  const { stdout: cgroups } = await execa('find', ['/sys/fs/cgroup', '-type', 'd', '-path', `*/${name}*`], {
    reject: false,
  });
  if (cgroups) found.push(...cgroups.split('\n'));
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)) {
    const read = (file: string): Promise<string> => readFile(join('/proc', pid, file), 'utf8').catch(() => '');
    const command = await read('cmdline');
    if (command.includes(name) || (await read('cgroup')).includes(name))
      found.push(`process ${pid}: ${command.replaceAll('\0', ' ')}`);
  }
  if ((await readFile('/proc/self/mountinfo', 'utf8')).includes(name)) found.push('mounts');
  if (!(await execa('ip', ['link', 'show', cable], { reject: false })).failed) found.push(cable);
  return found;
}
