import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { CommandCancelled } from '../../sandbox/contract.ts';
import { SandboxLost, SandboxRefused, SandboxUnavailable } from '../../sandbox/errors.ts';
import type { PodCommandTarget } from '../../k8s/pod-command.ts';
import { shell, temporaryFolder } from '../sandbox/fixtures.ts';
import { startBoxedPod, type BoxedPod } from './boxed-pod.ts';
import { connectPod } from './connected-pod.ts';
import type { ApiServerScript, ScriptedExec } from './scripted-api-server.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pod: BoxedPod;
beforeAll(async () => {
  folder = await temporaryFolder();
  pod = await startBoxedPod();
});
afterAll(async () => {
  await pod[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const connect = async (script?: ApiServerScript, changes?: Partial<PodCommandTarget>) =>
  await connectPod({ pod, outputDir: `${folder.path}/output`, ...(script && { script }), ...(changes && { changes }) });

/** Serves, and breaks the connection when so many bytes of output have been sent. */
async function serveUpTo(maxBytes: number, exec: ScriptedExec): Promise<void> {
  let bytes = 0;
  const send: ScriptedExec['send'] = async (channel, content) => {
    await exec.send(channel, content);
    bytes += content.length;
    if (bytes > maxBytes) exec.drop();
  };
  await pod.serve({ ...exec, send });
}

describe('a command of a pod', () => {
  it('costs one request', async () => {
    await using connected = await connect();
    for (let count = 0; count < 3; count++) await connected.run(shell(`request-${count}`, 'echo hi'));
    assert.equal(connected.server.requests(), 3);
  });

  it('has the variables of its image and its sandbox, and none of the cluster’s', async () => {
    await using connected = await connect();
    const { stdout } = await connected.run({
      ...shell('variables', ''),
      argv: ['env'],
      env: { OWN: 'two\nlines', 'npm_config_@scope:registry': 'x' },
    });
    for (const line of [
      /^IMAGE_VERSION=7$/m,
      /^OF_THE_SANDBOX=yes$/m,
      /^OWN=two\nlines$/m,
      /^npm_config_@scope:registry=x$/m,
      /^HOME=\/home\/agent$/m,
    ])
      assert.match(stdout, line);
    assert.doesNotMatch(stdout, /KUBERNETES|seal/);
  });

  it('whose program’s name looks like a variable starts that program', async () => {
    await using connected = await connect();
    for (const env of [{}, { 'an.other': 'x' }]) {
      assert.equal(
        (
          await connected.run({
            ...shell(`like-a-variable-${Object.keys(env).length}`, ''),
            argv: ['A=b', 'true'],
            env,
          })
        ).result.exitCode,
        127,
      );
    }
  });

  it('can end its process group and itself', async () => {
    await using connected = await connect();
    assert.deepEqual((await connected.run(shell('group', 'kill -KILL 0'))).result.exitCode, 137);
  });

  it('fails if its folder does not exist', async () => {
    await using connected = await connect();
    const { result, stderr } = await connected.run(shell('no-folder', 'true', { cwd: 'not/there' }));
    assert.deepEqual([result.ending, result.exitCode], ['exited', 126]);
    assert.match(stderr, /not\/there/);
  });

  it('is started together with at most seven others', async () => {
    let starting = 0;
    let most = 0;
    const onExec = async (exec: ScriptedExec): Promise<void> => {
      most = Math.max(most, ++starting);
      let started = false;
      const send: ScriptedExec['send'] = async (channel, content) => {
        if (!started) starting--;
        started = true;
        await exec.send(channel, content);
      };
      await pod.serve({ ...exec, send });
    };
    await using connected = await connect({ onExec });
    const results = await Promise.all(
      Array.from({ length: 24 }, async (_, index) => await connected.run(shell(`turn-${index}`, 'true'))),
    );
    assert.ok(results.every(({ result }) => result.exitCode === 0));
    assert.ok(most <= 8, `${most} were started at once`);
  });
});

describe('a command whose connection drops', () => {
  it('again and again is followed from where its output stopped, and runs once', async () => {
    let execs = 0;
    const onExec = async (exec: ScriptedExec): Promise<void> =>
      await (++execs < 5 ? serveUpTo(execs * 25_000, exec) : pod.serve(exec));
    await using connected = await connect({ onExec });
    const numbers = 'echo ran >>drops; seq 1 60000; seq 1 3000 >&2';
    let seen = '';
    const { result, stdout, stderr } = await connected.run(shell('drops', numbers), {
      onOutput: ({ stream, bytes }) => void (stream === 'stdout' && (seen += Buffer.from(bytes).toString())),
    });
    assert.deepEqual([result.exitCode, execs], [0, 5]);
    assert.equal(stdout, Array.from({ length: 60_000 }, (_, index) => `${index + 1}\n`).join(''));
    assert.equal(seen, stdout);
    assert.equal(stderr.length, 13_893);
    assert.equal((await connected.run(shell('drops-count', 'cat drops'))).stdout, 'ran\n');
  });

  it('between its end and the status has the result that its supervisor sealed', async () => {
    let execs = 0;
    const onExec = async (exec: ScriptedExec): Promise<void> => {
      execs++;
      await pod.serve({ ...exec, end: async () => await Promise.resolve(exec.drop()) });
    };
    await using connected = await connect({ onExec });
    const { result, stdout } = await connected.run(shell('no-status', 'echo once; exit 3'));
    assert.deepEqual([result.exitCode, stdout, execs], [3, 'once\n', 1]);
  });

  it('while its input is sent is launched with all of it, or not at all', async () => {
    let execs = 0;
    const onExec = async (exec: ScriptedExec): Promise<void> => {
      let bytes = 0;
      if (++execs < 3)
        exec.socket.on('message', (frame: Buffer) => void ((bytes += frame.length) > execs * 100_000 && exec.drop()));
      await pod.serve(exec);
    };
    await using connected = await connect({ onExec });
    const stdin = Buffer.alloc(1_000_000, 'input ');
    const { stdout } = await connected.run(shell('input', 'echo ran >>inputs; sha256sum', { stdin }));
    assert.equal(stdout.slice(0, 64), createHash('sha256').update(stdin).digest('hex'));
    assert.equal((await connected.run(shell('input-count', 'cat inputs'))).stdout, 'ran\n');
    assert.equal(execs, 4);
  });
});

describe('an API server', () => {
  it('that is busy or broken for a while delays the command, which still runs once', async () => {
    const answers = [429, 500, 409, 401];
    await using connected = await connect({
      onExec: pod.serve,
      refuse: () => {
        const status = answers.shift();
        return status === undefined ? undefined : { status };
      },
    });
    assert.equal((await connected.run(shell('busy', 'echo ran >>busy; cat busy'))).stdout, 'ran\n');
  });

  it('that says when to try again is not asked earlier', async () => {
    const at: number[] = [];
    await using connected = await connect({
      onExec: pod.serve,
      refuse: () => (at.push(performance.now()) === 1 ? { status: 429, headers: { 'retry-after': '1' } } : undefined),
    });
    await connected.run(shell('retry-after', 'true'));
    assert.ok((at[1] ?? 0) - (at[0] ?? 0) >= 990);
  });

  it('that forbids the command ends the wait at once, and the error says what to grant', async () => {
    await using connected = await connect({
      refuse: () => ({ status: 403, body: '{"message":"pods/exec is forbidden"}' }),
    });
    await assert.rejects(
      connected.run(shell('forbidden', 'true')),
      (error: unknown) => error instanceof SandboxRefused && /pods\/exec/.test(error.hint ?? ''),
    );
  });

  it('that stays away is given up after the set time, with a retryable error', async () => {
    await using connected = await connect(
      { refuse: () => ({ status: 503 }) },
      { unreachableTimeoutMs: 300, checkPod: async () => await Promise.resolve('unreachable') },
    );
    await assert.rejects(
      connected.run(shell('away', 'true')),
      (error: unknown) =>
        error instanceof SandboxUnavailable && error.code === 'sandbox-unreachable' && error.retryable,
    );
  });
});

describe('a command in a pod', () => {
  it('is not run in another incarnation, and the sandbox is lost', async () => {
    await using connected = await connect(undefined, { incarnation: 'another' });
    await assert.rejects(connected.run(shell('incarnation', 'touch of-another')), SandboxLost);
    await using same = await connect();
    assert.equal((await same.run(shell('incarnation-ran', 'ls of-another'))).result.exitCode, 2);
  });

  it('is lost with its pod, with the reason', async () => {
    await using connected = await connect(
      { refuse: () => ({ status: 404 }) },
      { checkPod: async () => await Promise.resolve({ gone: 'the pod was evicted' }) },
    );
    await assert.rejects(
      connected.run(shell('gone', 'true')),
      (error: unknown) => error instanceof SandboxLost && /evicted/.test(error.message),
    );
  });

  it('ends as out-of-memory with its pod, with the output that came before', async () => {
    const checkPod: PodCommandTarget['checkPod'] = async () =>
      await Promise.resolve({ gone: 'OOMKilled', ending: 'out-of-memory' });
    await using connected = await connect({ onExec: async (exec) => await serveUpTo(20, exec) }, { checkPod });
    const { result, stdout } = await connected.run(shell('memory', 'echo some output that comes before; sleep 0.6'), {
      onOutput: () => {},
    });
    assert.deepEqual([result.ending, result.exitCode], ['out-of-memory', 137]);
    assert.match(stdout, /^some output/);
  });
});

describe('a cancel', () => {
  it('is sent again if it did not arrive', async () => {
    let stops = 0;
    const onExec = async (exec: ScriptedExec): Promise<void> => {
      if (exec.words.some((word) => word.endsWith('stop-command.sh')) && ++stops < 3) exec.drop();
      else await pod.serve(exec);
    };
    await using connected = await connect({ onExec });
    const cancel = new AbortController();
    const { result } = await connected.run(shell('stop', 'echo started; sleep 300'), {
      signal: cancel.signal,
      onOutput: () => cancel.abort(new CommandCancelled('enough')),
    });
    assert.deepEqual([result.ending, stops], ['cancelled', 3]);
  });
});
