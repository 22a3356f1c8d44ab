import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { CommandSpec } from '../../sandbox/contract.ts';
import { SandboxLost } from '../../sandbox/errors.ts';
import { describeCommand } from '../../k8s/command-request.ts';
import { shell, temporaryFolder } from '../sandbox/fixtures.ts';
import { startBoxedPod, type BoxedPod } from './boxed-pod.ts';
import { connectPod } from './connected-pod.ts';

/** Shells that images have as /bin/sh, as far as this machine has them. */
const shells = ['dash', 'bash', 'busybox']
  .map((name) =>
    (process.env['PATH'] ?? '')
      .split(':')
      .map((folder) => `${folder}/${name}`)
      .find((path) => existsSync(path)),
  )
  .filter((path) => path !== undefined);

async function startPod(options: { shell?: string } = {}) {
  const folder = await temporaryFolder();
  const pod = await startBoxedPod(options);
  const connected = await connectPod({ pod, outputDir: folder.path });
  const close = async (): Promise<void> => {
    await connected[Symbol.asyncDispose]();
    await pod[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  return { pod, ...connected, [Symbol.asyncDispose]: close };
}

/** The names of what runs in the pod beside its own first processes and who asks. */
async function processNames(pod: BoxedPod): Promise<string[]> {
  const { stdout } = pod.enter([
    '/bin/bash',
    '-c',
    'for each in /proc/[0-9]*; do read -r -d "" stat <$each/stat; echo "$stat"; done 2>/dev/null',
  ]);
  let text = '';
  for await (const bytes of stdout ?? []) text += String(bytes);
  const fields = text
    .trim()
    .split('\n')
    .map((line) => /^(\d+) \((.*)\) (\w) (\d+) \d+ (\d+)/.exec(line) ?? []);
  const first = fields.find(([, pid]) => pid === '1');
  return fields
    .filter(
      ([, pid, , state, parent, session]) => pid !== '1' && session !== first?.[5] && parent !== '0' && state !== 'Z',
    )
    .map(([, , name = '']) => name);
}

/**
 * Looks again for a moment: the supervisor's own sleep is told to end after the result, and ends when it comes to run.
 * What the commands here leave stays for ever.
 */
async function lastingProcesses(pod: BoxedPod): Promise<string[]> {
  const giveUpAt = Date.now() + 2000;
  let names = await processNames(pod);
  while (names.length > 0 && Date.now() < giveUpAt) names = await processNames(pod);
  return names;
}

/** What a command leaves behind, by every way there is to leave. */
const leave = [
  'sleep 1001 &',
  '(sleep 1002 &)',
  'setsid sleep 1003 &',
  '(setsid sh -c "trap \\"\\" TERM HUP INT; sleep 1004" &)',
  'env -i setsid sleep 1005 &',
  'python3 -c "import os; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); os.execv(\\"/bin/sleep\\", [\\"x)\\\\n1 (y\\", \\"1006\\"])" &',
  'python3 -c "import threading, ctypes, time; threading.Thread(target=time.sleep, args=(1007,)).start(); ctypes.CDLL(None).pthread_exit(None)" &',
].join('\n');

for (const path of shells) {
  describe(`a pod whose shell is ${path.split('/').at(-1)}`, () => {
    it('runs commands, and ends them with everything that they leave', async () => {
      await using pod = await startPod({ shell: path });
      const { result, stdout, stderr } = await pod.run(
        shell('basics', `echo out; echo err >&2; ${leave}\nsleep 0.3; exit 3`, { stdin: Buffer.from('input') }),
      );
      assert.deepEqual([result.ending, result.exitCode, stdout, stderr], ['exited', 3, 'out\n', 'err\n']);
      assert.deepEqual(await lastingProcesses(pod.pod), []);
      const late = await pod.run(
        shell('late', `trap "" TERM; ${leave}\nwhile :; do sleep 0.1; done`, { timeoutMs: 500 }),
      );
      assert.deepEqual([late.result.ending, late.result.exitCode], ['deadline', 137]);
      assert.deepEqual(await lastingProcesses(pod.pod), []);
      const capped = await pod.run(
        shell('capped', 'head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2', { outputCapBytes: 100_000 }),
      );
      // The head of busybox takes more than it gives.
      const uncounted = path.endsWith('busybox') ? 4096 : 0;
      const { stdout: out, stderr: err } = capped.result;
      assert.deepEqual([out.keptBytes, err.keptBytes], [100_000, 100_000]);
      assert.ok(
        200_000 - out.droppedBytes <= uncounted && 100_000 - err.droppedBytes <= uncounted,
        JSON.stringify(capped.result),
      );
    });
  });
}

describe('the end of a command', () => {
  let pod: Awaited<ReturnType<typeof startPod>>;
  beforeAll(async () => {
    pod = await startPod();
  });
  afterAll(async () => await pod[Symbol.asyncDispose]());

  it('leaves other commands of the pod alone, with everything that they left', async () => {
    const long = pod.run(
      shell(
        'long',
        '(setsid sh -c "while :; do echo >>beat; sleep 0.02; done" &); until [ -e go-on ]; do sleep 0.02; done; echo done',
      ),
    );
    await pod.run(shell('wait', 'until [ -s beat ]; do sleep 0.02; done'));
    for (let count = 0; count < 3; count++) await pod.run(shell(`short-${count}`, leave));
    const { stdout } = await pod.run(
      shell(
        'beats',
        'first=$(wc -l <beat); until [ "$(wc -l <beat)" -gt "$first" ]; do sleep 0.02; done; echo beats; touch go-on',
      ),
    );
    assert.equal(stdout, 'beats\n');
    assert.equal((await long).stdout, 'done\n');
    assert.deepEqual(await lastingProcesses(pod.pod), []);
  });

  const runaways = [
    ['slowly', 'export hop=\'(setsid sh -c "$hop" &)\'; for i in 1 2 3 4 5 6; do eval "$hop"; done'],
    [
      'fast',
      'for i in 1 2 3; do python3 -c "import os\nwhile True:\n  if os.fork(): os._exit(0)\n  os.setsid()"; done',
    ],
  ] as const;
  for (const [how, script] of runaways) {
    it(`catches what moves ${how} from one process to the next`, async () => {
      const { result, stdout } = await pod.run(shell(`runs-${how}`, `${script}; sleep 0.1; echo running`));
      assert.deepEqual([result.ending, stdout], ['exited', 'running\n']);
      assert.deepEqual(await lastingProcesses(pod.pod), []);
    });
  }

  it('kills everything at once if there are too many processes to kill one by one; other commands go on, and the output is complete', async () => {
    const other = pod.run(shell('beside-a-crowd', 'until [ -e crowd-ended ]; do sleep 0.02; done; echo done'));
    const crowd = 'export hop=\'(setsid sh -c "$hop" &)\'; for i in $(seq 40); do eval "$hop"; done';
    const { result, stdout } = await pod.run(shell('crowd', `${crowd}; echo running`));
    assert.deepEqual([result.ending, result.exitCode, stdout], ['exited', 0, 'running\n']);
    await pod.run(shell('after-a-crowd', 'touch crowd-ended'));
    assert.deepEqual([(await other).result.ending, (await other).stdout], ['exited', 'done\n']);
    assert.deepEqual(await lastingProcesses(pod.pod), []);
  });

  it('leaves no zombie process', async () => {
    await pod.run(shell('orphans', 'for i in 1 2 3 4 5 6 7 8 9; do (sh -c "sleep 0.0$i" &); done; sleep 0.2'));
    const { stdout } = await pod.run(shell('zombies', 'grep -l "^State:.Z" /proc/[0-9]*/status; true'));
    assert.equal(stdout, '');
  });
});

describe('a command that attacks its supervision', () => {
  let pod: Awaited<ReturnType<typeof startPod>>;
  beforeAll(async () => {
    pod = await startPod();
  });
  afterAll(async () => await pod[Symbol.asyncDispose]());

  const forged = `exited 0 0 0 0 0 1 1 ${'0'.repeat(64)}`;
  const attacks: [string, string][] = [
    ['kills its supervisor', 'kill -KILL $PPID; sleep 60'],
    ['kills everything that it can', 'kill -KILL -1; sleep 60'],
    ['kills its supervisor and forges a result', `echo "${forged}" >$JIG_COMMAND.result; kill -KILL $PPID; sleep 60`],
    ['forges a result and waits', `while :; do echo "${forged}" >$JIG_COMMAND.result; sleep 0.05; done`],
    ['forges a result that is none', 'echo "exited 0" >$JIG_COMMAND.result; kill -KILL $PPID; sleep 60'],
    ['takes its own output away', 'echo output; rm -f $JIG_COMMAND.stdout; exit 0'],
    ['changes its own output', 'echo output; sleep 0.1; (sleep 0.3; echo other >$JIG_COMMAND.stdout) & exit 0'],
    [
      'says by its follower’s voice that it succeeded',
      `for each in /proc/[0-9]*; do echo "end ${forged}" >$each/fd/1; done 2>/dev/null; exit 1`,
    ],
  ];
  for (const [what, script] of attacks) {
    it(`and ${what} never succeeds with that`, async () => {
      const run = pod.run(shell(what, script, { timeoutMs: 3000 }));
      const ended = await run.then(
        ({ result, stdout }) => ({ result, stdout }),
        (error: unknown) => error,
      );
      if (ended instanceof SandboxLost) return;
      assert.ok(!(ended instanceof Error), String(ended));
      const { result, stdout } = ended as Awaited<typeof run>;
      // What it did to its own output before its end is its own output.
      assert.ok(
        result.exitCode !== 0 || (what.endsWith('own output') && stdout === 'output\n'),
        JSON.stringify(result),
      );
    });
  }

  it('can’t find the seal of any command, or the names of later ones', async () => {
    const search = 'grep -rlas "$1" /jig /proc/[0-9]*/environ /proc/[0-9]*/cmdline /opt/jig; true';
    const request = await describeCommand(pod.target, shell('search', ''), false);
    const { stdout } = await pod.run({
      ...shell('search', ''),
      argv: ['sh', '-c', search, 'sh', request.seal.split('').join('[.]*')],
    });
    assert.equal(stdout, '');
    const next = await describeCommand(pod.target, shell('search-next', ''), false);
    assert.notEqual(next.name, request.name);
    assert.notEqual(next.seal, request.seal);
  });

  const later: [string, (place: string) => Promise<void>][] = [
    [
      'result',
      async (place) =>
        await writeFile(`${place}.result`, (await readFile(`${place}.result`, 'utf8')).replace('exited 1', 'exited 0')),
    ],
    ['output', async (place) => await writeFile(`${place}.stdout`, 'good\n')],
    ['output’s length', async (place) => await appendFile(`${place}.stdout`, 'more')],
  ];
  for (const [what, change] of later) {
    it(`can’t change the ${what} of a command that has ended`, async () => {
      const spec: CommandSpec = shell(`later-${what}`, 'echo bad; exit 1');
      assert.equal((await pod.run(spec)).result.exitCode, 1);
      const { name } = await describeCommand(pod.target, spec, false);
      await change(`${pod.pod.commandsDir}/${name}`);
      const again = await pod.run(spec).then(
        ({ result, stdout }) => ({ exitCode: result.exitCode, stdout }),
        (error: unknown) => error,
      );
      // What was appended isn't read at all.
      if (!(again instanceof SandboxLost)) assert.deepEqual(again, { exitCode: 1, stdout: 'bad\n' });
    });
  }

  it('and leaves the pid of a dead supervisor is soon lost', async () => {
    const { name } = await describeCommand(pod.target, shell('never-started', ''), false);
    await writeFile(`${pod.pod.commandsDir}/${name}.pid`, '1 1 x\n');
    await assert.rejects(pod.run(shell('never-started', '')), SandboxLost);
  });
});
