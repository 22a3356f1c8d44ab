import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { CommandSpec, Sandbox } from '../../sandbox/contract.ts';
import { SandboxLost } from '../../sandbox/errors.ts';
import { commandFolder, findSupervisor, isRunning } from '../../sandbox/local/command-folder.ts';
import { followCommand } from '../../sandbox/local/follow.ts';
import { sandboxFolder } from '../../sandbox/local/layout.ts';
import { createLocalProvider, type LocalProvider } from '../../sandbox/local/provider.ts';
import { blueprintFiles, tellAll } from './blueprint-rules.ts';
import { findBwrap, runShell, sandboxSpec, shell, temporaryFolder } from './fixtures.ts';

/** Another worker: a process that runs one command of this sandbox and prints its result. */
const workerFile = fileURLToPath(new URL('other-worker.ts', import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let provider: LocalProvider;
let sandbox: Sandbox;
let rootDir: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  rootDir = `${folder.path}/sandboxes`;
  provider = createLocalProvider({ rootDir, bwrapPath: await findBwrap() });
  sandbox = await provider.ensureSandbox(sandboxSpec('run/takeover', { blueprint: blueprintFiles }));
});
afterAll(async () => {
  await provider.destroySandbox('run/takeover');
  await folder[Symbol.asyncDispose]();
});

async function startWorker(spec: CommandSpec) {
  const worker = spawn(
    process.execPath,
    [workerFile, rootDir, await findBwrap(), JSON.stringify(sandbox.ref), JSON.stringify(spec)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  // With all of its output, which its exit doesn't wait for.
  const closed = once(worker, 'close');
  let text = '';
  worker.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  /** Until the command shows its first output. */
  const sees = async () => {
    while (!text.includes('saw')) await once(worker.stdout, 'data');
  };
  const result = async (): Promise<unknown> => {
    await closed;
    return JSON.parse(text.split('\n').at(-2) ?? 'null');
  };
  return { worker, sees, result };
}

describe('a worker that goes away', () => {
  it('leaves the blueprint’s files unchanged for the next one', async () => {
    const { stdout } = await runShell(sandbox, 'tell-all', tellAll);
    const { result } = await startWorker(shell('tell-all-elsewhere', tellAll));
    const { stdout: elsewhere } = z.object({ stdout: z.object({ path: z.string() }) }).parse(await result());
    assert.equal(await readFile(elsewhere.path, 'utf8'), stdout);
    assert.match(stdout, /^\+ find\.sh/);
  });

  it('by SIGKILL leaves its command running, and the next worker follows it: it runs once and its output is complete', async () => {
    const spec = shell('killed', 'echo ran >>count; echo first; until [ -e go-on ]; do sleep 0.02; done; echo last');
    const { worker, sees } = await startWorker(spec);
    await sees();
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await runShell(sandbox, 'killed-go', 'touch go-on');
    const result = await sandbox.run(spec);
    assert.equal(result.exitCode, 0);
    assert.equal(await readFile(result.stdout.path, 'utf8'), 'first\nlast\n');
    assert.equal((await runShell(sandbox, 'killed-count', 'cat count')).stdout, 'ran\n');
  });

  it('by SIGKILL doesn’t extend its command’s deadline', async () => {
    const spec = shell('killed-late', 'echo first; sleep 300', { timeoutMs: 1500 });
    const { worker, sees } = await startWorker(spec);
    await sees();
    worker.kill('SIGKILL');
    const place = commandFolder(sandboxFolder(rootDir, 'run/takeover'), 'killed-late');
    const supervisor = await findSupervisor(place);
    assert.ok(supervisor);
    await followCommand(place);
    await assert.doesNotReject(async () => assert.equal((await sandbox.run(spec)).ending, 'deadline'));
    assert.ok((await sandbox.run(spec)).durationMs < 5000);
  });

  it('by SIGSTOP gets the same result when it goes on, and launches nothing', async () => {
    const spec = shell(
      'stopped',
      'echo ran >>count53; echo first; until [ -e go-on53 ]; do sleep 0.02; done; echo last',
    );
    const { worker, sees, result } = await startWorker(spec);
    await sees();
    worker.kill('SIGSTOP');
    await runShell(sandbox, 'stopped-go', 'touch go-on53');
    const here = await sandbox.run(spec);
    worker.kill('SIGCONT');
    assert.deepEqual(await result(), here);
    assert.equal((await runShell(sandbox, 'stopped-count', 'cat count53')).stdout, 'ran\n');
  });
});

describe('a command without a supervisor', () => {
  it('that was launched and never started is lost after a while', async () => {
    const place = `${folder.path}/never-started`;
    await mkdir(place);
    await assert.rejects(followCommand(place, { launchTimeoutMs: 50 }), SandboxLost);
  });

  it('whose pid belongs to another boot or another process is lost', async () => {
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const cases = [`${process.pid} 1 ${bootId}`, `${process.pid} 1 00000000-0000-4000-8000-000000000000`];
    for (const [index, text] of cases.entries()) {
      const place = `${folder.path}/stale-${index}`;
      await mkdir(place);
      await writeFile(`${place}/pid`, `${text}\n`);
      await assert.rejects(followCommand(place), SandboxLost);
    }
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    it(`that something else ended by ${signal} is lost, never a success, and its command is killed too`, async () => {
      const beat = `beat-${signal}`;
      const spec = shell(`supervisor-${signal}`, `while :; do echo beat >>${beat}; sleep 0.02; done`);
      const running = assert.rejects(sandbox.run(spec), SandboxLost);
      const place = commandFolder(sandboxFolder(rootDir, 'run/takeover'), spec.key);
      let supervisor = await findSupervisor(place);
      while (!supervisor) {
        await delay(5);
        supervisor = await findSupervisor(place);
      }
      await delay(200);
      process.kill(supervisor.pid, signal);
      await running;
      assert.equal(await isRunning(supervisor), false);
      const beats = await runShell(sandbox, `beats-${signal}`, `wc -l <${beat}; sleep 0.2; wc -l <${beat}`);
      assert.match(beats.stdout, /^[1-9]/);
      const [first, second] = beats.stdout.trim().split('\n');
      assert.equal(first, second);
    });

  it('a command can’t write its own result', async () => {
    const { result, stdout } = await runShell(
      sandbox,
      'forge',
      'ls -a / /run 2>/dev/null; echo "exited 0" >result; find /work /home /run /tmp -name result.new; exit 9',
    );
    assert.equal(result.exitCode, 9);
    assert.doesNotMatch(stdout, /result\.new|commands/);
  });
});
