/** What every sandbox provider must do, as tests. A provider's own test file calls this with how it is made. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { CommandCancelled, sandboxStates, type Sandbox, type SandboxProvider } from '../../sandbox/contract.ts';
import { CommandTooLong, SandboxLost } from '../../sandbox/errors.ts';
import { blueprintRules } from './blueprint-rules.ts';
import { filesContract } from './files-contract.ts';
import { mebibyte, runShell, sandboxSpec, shell } from './fixtures.ts';

/** @param createProvider makes a provider over the same sandboxes each time; `close` ends what the suite made. */
export function sandboxContract(
  name: string,
  createProvider: () => Promise<{ provider: SandboxProvider; close: () => Promise<void> }>,
): void {
  describe(`${name}: the sandbox contract`, { concurrent: true }, () => {
    let provider: SandboxProvider;
    let close: () => Promise<void>;
    let sandbox: Sandbox;
    beforeAll(async () => {
      ({ provider, close } = await createProvider());
      sandbox = await provider.ensureSandbox(sandboxSpec('run/acme/contract'));
    });
    afterAll(async () => {
      await provider.destroySandbox('run/acme/contract');
      await close();
    });

    describe('a command', () => {
      for (const [code, script] of [
        [0, 'true'],
        [1, 'false'],
        [3, 'exit 3'],
        [127, 'no-such-program'],
        [143, 'kill -TERM $$'],
        [137, 'kill -KILL $$'],
      ] as const) {
        it(`ends with its exact exit code: ${code}`, async () => {
          const { result } = await runShell(sandbox, `exit-${code}`, script);
          assert.deepEqual([result.ending, result.exitCode], ['exited', code]);
        });
      }

      it('without a shell ends with 127 if there is no such program', async () => {
        const result = await sandbox.run({ ...shell('no-program', ''), argv: ['no-such-program'] });
        assert.equal(result.exitCode, 127);
      });

      it('gets its words unchanged, whatever they contain', async () => {
        const words = ['"; rm -rf / #', '$(id)', '--upload-pack=x', 'two\nlines', '', '*', 'ünï'];
        const result = await sandbox.run({ ...shell('words', ''), argv: ['printf', String.raw`%s\0`, ...words] });
        assert.deepEqual((await readFile(result.stdout.path, 'utf8')).split('\0').slice(0, -1), words);
      });

      it('is refused with a reason if the kernel would refuse one of its words or variables, or their total length', async () => {
        const long = 'x'.repeat(131_072);
        const cases = [
          { argv: ['echo', long] },
          { env: { LONG: long.slice(5) } },
          { argv: Array<string>(40).fill(long.slice(1)) },
        ];
        for (const [index, changes] of cases.entries())
          await assert.rejects(sandbox.run({ ...shell(`too-long-${index}`, 'true'), ...changes }), CommandTooLong);
        const fits = await sandbox.run({
          ...shell('just-fits', ''),
          argv: ['sh', '-c', 'echo ${#1} ${#LONG}', 'sh', long.slice(1)],
          env: { LONG: long.slice(6) },
        });
        assert.equal(await readFile(fits.stdout.path, 'utf8'), '131071 131066\n');
        const many = await sandbox.run({
          ...shell('many-words', ''),
          argv: ['sh', '-c', 'echo $#', ...Array<string>(8000).fill('x')],
        });
        assert.equal(await readFile(many.stdout.path, 'utf8'), '7999\n');
      });

      it('has empty input, the bytes given, or a file', async () => {
        assert.equal((await runShell(sandbox, 'stdin-none', 'wc -c')).stdout.trim(), '0');
        const bytes = new Uint8Array([0, 255, 10, 13]);
        const echoed = await sandbox.run(shell('stdin-bytes', 'cat', { stdin: bytes }));
        assert.deepEqual(new Uint8Array(await readFile(echoed.stdout.path)), bytes);
        const file = await runShell(sandbox, 'stdin-file', 'head -c 9', {
          stdin: { path: new URL(import.meta.url).pathname },
        });
        assert.equal(file.stdout, '/** What ');
      });

      it('has its folder and environment, and nothing of the worker’s', async () => {
        process.env['JIG_TEST_SECRET'] = 'host-secret';
        const { stdout } = await runShell(sandbox, 'env', 'mkdir -p deep && cd deep && pwd && env', {
          env: { GREETING: 'hello world' },
        });
        assert.match(stdout, /\/deep\n/);
        assert.match(stdout, /^GREETING=hello world$/m);
        assert.doesNotMatch(stdout, /host-secret/);
        delete process.env['JIG_TEST_SECRET'];
        const there = await runShell(sandbox, 'cwd', 'basename "$PWD"', { cwd: 'deep' });
        assert.equal(there.stdout, 'deep\n');
      });

      it('leaves what it writes to the workspace and the home for the next one', async () => {
        await runShell(sandbox, 'keep-1', 'echo one >kept; echo two >"$HOME/kept"');
        assert.equal((await runShell(sandbox, 'keep-2', 'cat kept "$HOME/kept"')).stdout, 'one\ntwo\n');
      });

      it('is launched once by sixty calls at the same time, and all get its result', async () => {
        const calls = Array.from(
          { length: 60 },
          async () => await sandbox.run(shell('sixty', 'echo ran >>count; sleep 0.2; echo done')),
        );
        const results = await Promise.all(calls);
        assert.ok(results.every(({ exitCode, stdout }) => exitCode === 0 && stdout.keptBytes === 5));
        assert.equal((await runShell(sandbox, 'sixty-count', 'wc -l <count')).stdout.trim(), '1');
      });

      it('shows its output while it runs', async () => {
        let seen = '';
        const cancel = new AbortController();
        const result = await sandbox.run(shell('live', 'echo first; sleep 60'), {
          signal: cancel.signal,
          onOutput: ({ bytes }) => {
            seen += Buffer.from(bytes).toString();
            cancel.abort(new CommandCancelled('seen enough'));
          },
        });
        assert.equal(seen, 'first\n');
        assert.equal(result.ending, 'cancelled');
        assert.equal(result.exitCode, 137);
      });

      it('says when it started and how long it took', async () => {
        const beforeMs = Date.now();
        const { result } = await runShell(sandbox, 'times', 'sleep 0.3');
        assert.ok(Math.abs(Date.parse(result.startedAt) - beforeMs) < 2000);
        assert.ok(result.durationMs >= 290 && result.durationMs < 3000, String(result.durationMs));
      });
    });

    describe('output', () => {
      it('of a gibibyte is limited and counted, and the worker’s memory hardly grows', async () => {
        const rssBefore = process.memoryUsage().rss;
        let peak = 0;
        const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
        const result = await sandbox.run(shell('gibibyte', 'head -c 1073741824 /dev/zero', { timeoutMs: 60_000 }), {
          onOutput: () => {},
        });
        clearInterval(sampler);
        assert.deepEqual(
          [result.exitCode, result.stdout.keptBytes, result.stdout.droppedBytes],
          [0, mebibyte, 1073741824 - mebibyte],
        );
        assert.equal((await stat(result.stdout.path)).size, mebibyte);
        assert.ok(peak - rssBefore < 50 * mebibyte, `grew by ${peak - rssBefore}`);
      });

      it('of any bytes is kept unchanged', async () => {
        const { result } = await runShell(
          sandbox,
          'bytes',
          String.raw`printf '\377\000\303'; printf '\033]0;title\007' >&2; head -c 3000000 /dev/zero | tr '\0' x`,
        );
        const bytes = await readFile(result.stdout.path);
        assert.deepEqual([...bytes.subarray(0, 4)], [0xff, 0, 0xc3, 0x78]);
        assert.equal(result.stdout.keptBytes + result.stdout.droppedBytes, 3_000_003);
        assert.equal(result.stderr.keptBytes, 10);
      });
    });

    describe('the end of a command', () => {
      it('at the deadline comes even if SIGTERM is ignored', async () => {
        const { result, stdout } = await runShell(
          sandbox,
          'deadline',
          'trap "" TERM INT HUP; echo started; while :; do sleep 1; done',
          { timeoutMs: 400 },
        );
        assert.deepEqual([result.ending, result.exitCode, stdout], ['deadline', 137, 'started\n']);
      });

      it('also ends what runs in the background and keeps the output open', async () => {
        const startedMs = performance.now();
        const { result, stdout } = await runShell(sandbox, 'background', 'sleep 300 & echo hi');
        assert.deepEqual([result.ending, result.exitCode, stdout], ['exited', 0, 'hi\n']);
        assert.ok(performance.now() - startedMs < 10_000);
      });

      it('also ends what left its session or its parent', async ({ skip }) => {
        if (provider.capabilities.isolation === 'none') skip('plain processes can leave');
        const beat = 'while :; do date +%s%N >beat; sleep 0.02; done';
        await runShell(
          sandbox,
          'escape',
          `setsid sh -c '${beat}' >/dev/null 2>&1 & (setsid sh -c 'sleep 300' &) & until [ -s beat ]; do sleep 0.02; done`,
        );
        const first = await runShell(sandbox, 'beat-1', 'cat beat');
        const second = await runShell(sandbox, 'beat-2', 'sleep 0.2; cat beat');
        assert.equal(first.stdout, second.stdout);
      });

      it('by a cancel happens once, and a later call finds it', async () => {
        const cancel = new AbortController();
        const running = sandbox.run(shell('cancel', 'echo started; sleep 300'), {
          signal: cancel.signal,
          onOutput: () => cancel.abort(new CommandCancelled('enough')),
        });
        const result = await running;
        assert.equal(result.ending, 'cancelled');
        assert.deepEqual(await sandbox.run(shell('cancel', 'echo started; sleep 300')), result);
      });

      it('by a cancel before the start runs nothing', async () => {
        const result = await sandbox.run(shell('cancelled-before', 'touch should-not-be'), {
          signal: AbortSignal.abort(new CommandCancelled('too late')),
        });
        assert.equal(result.ending, 'cancelled');
        assert.equal((await runShell(sandbox, 'nothing-ran', 'ls should-not-be')).result.exitCode, 2);
      });

      it('does not come with any other abort: the caller is detached, and the next call follows the command', async () => {
        const shutdown = new AbortController();
        const reason = new Error('the worker shuts down');
        const spec = shell('detach', 'echo a; until [ -e go-on ]; do sleep 0.02; done; echo b');
        const running = sandbox.run(spec, { signal: shutdown.signal, onOutput: () => shutdown.abort(reason) });
        await assert.rejects(running, (error) => error === reason);
        const [result] = await Promise.all([sandbox.run(spec), runShell(sandbox, 'go-on', 'touch go-on')]);
        assert.equal(await readFile(result.stdout.path, 'utf8'), 'a\nb\n');
      });
    });

    describe('a sandbox', () => {
      it('is made once for an id, also by simultaneous callers, and listed', async () => {
        const made = await Promise.all(
          Array.from(
            { length: 10 },
            async () => await provider.ensureSandbox(sandboxSpec('run/acme/once', { owner: 'run-1', leaseMs: 1000 })),
          ),
        );
        assert.equal(new Set(made.map(({ ref }) => ref.incarnation)).size, 1);
        const listed = (await provider.listSandboxes()).find(({ id }) => id === 'run/acme/once');
        assert.equal(listed?.owner, 'run-1');
        const left = Date.parse(listed.leasedUntil) - Date.now();
        assert.ok(left > -60_000 && left <= 1000, listed.leasedUntil);
        await provider.destroySandbox('run/acme/once');
        assert.ok(!(await provider.listSandboxes()).some(({ id }) => id === 'run/acme/once'));
      });

      it('reports its states in order, and is ready only at the end', async () => {
        const { states } = await provider.ensureSandbox(sandboxSpec('run/acme/states'));
        assert.deepEqual(
          states.map(({ state }) => state),
          sandboxStates.filter((state) => states.some((reached) => reached.state === state)),
        );
        assert.deepEqual([states[0]?.state, states.at(-1)?.state], ['created', 'ready']);
        assert.ok(
          states.every(({ at }) => Math.abs(Date.parse(at) - Date.now()) < 60_000),
          JSON.stringify(states),
        );
        await provider.destroySandbox('run/acme/states');
      });

      it('is found again by its reference, but not after it was made again', async () => {
        const { ref } = await provider.ensureSandbox(sandboxSpec('run/acme/anew'));
        assert.deepEqual((await provider.getSandbox(ref)).ref, ref);
        await provider.destroySandbox(ref.id);
        await assert.rejects(provider.getSandbox(ref), SandboxLost);
        const again = await provider.ensureSandbox(sandboxSpec('run/acme/anew'));
        assert.notEqual(again.ref.incarnation, ref.incarnation);
        await assert.rejects(provider.getSandbox(ref), SandboxLost);
        await provider.destroySandbox(ref.id);
      });

      it('that is destroyed ends its commands, and is lost for their followers', async () => {
        const doomed = await provider.ensureSandbox(sandboxSpec('run/acme/doomed'));
        const seen = new EventTarget();
        const shown = once(seen, 'output');
        const running = doomed.run(shell('long', 'echo hi; mkdir -p a/b; touch a/b/c; chmod 500 a/b a; sleep 300'), {
          onOutput: () => seen.dispatchEvent(new Event('output')),
        });
        const lost = assert.rejects(running, SandboxLost);
        await shown;
        await provider.destroySandbox('run/acme/doomed');
        await provider.destroySandbox('run/acme/doomed');
        await lost;
        await assert.rejects(doomed.run(shell('later', 'true')), SandboxLost);
      });
    });

    describe('the files of a blueprint', () => blueprintRules(() => provider));

    filesContract(() => sandbox);
  });
}
