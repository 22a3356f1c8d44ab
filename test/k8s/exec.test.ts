import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { execInPod, type ExecOptions } from '../../k8s/exec.ts';
import { startApiServer, statusOf, targetAt, type ApiServerScript } from './scripted-api-server.ts';

const mebibyte = 1 << 20;

/** One exec against a server that plays the script; its outcome and what came. */
async function play(script: ApiServerScript, changes: Partial<ExecOptions> = {}) {
  await using server = await startApiServer(script);
  let stdout = '';
  let stderr = '';
  const options: ExecOptions = {
    deadlineMs: 10_000,
    maxBytes: mebibyte,
    onStdout: (bytes) => void (stdout += Buffer.from(bytes).toString()),
    onStderr: (bytes) => void (stderr += Buffer.from(bytes).toString()),
    ...changes,
  };
  const outcome = await execInPod(server.target, ['sh', '-c', 'echo "$1"', 'sh', 'a b&c=d\n%ü'], options);
  return { outcome, stdout, stderr };
}

describe('an exec', () => {
  for (const code of [0, 3, 137]) {
    it(`has the command's exit code: ${code}`, async () => {
      assert.deepEqual((await play({ onExec: async (exec) => await exec.end(code) })).outcome, {
        kind: 'exited',
        code,
      });
    });
  }

  it('passes its words on unchanged', async () => {
    let words: string[] = [];
    await play({ onExec: async (exec) => await exec.end(exec.words.length - (words = exec.words).length) });
    assert.deepEqual(words, ['sh', '-c', 'echo "$1"', 'sh', 'a b&c=d\n%ü']);
  });

  it('passes both streams on, with everything that came before the status', async () => {
    const onExec: ApiServerScript['onExec'] = async ({ send, end }) => {
      for (const channel of [1, 2, 3]) await send(channel, '');
      await send(1, 'one ');
      await send(2, 'error');
      await send(255, Uint8Array.of(2));
      await send(1, 'two');
      await end(0);
    };
    assert.deepEqual(await play({ onExec }), {
      outcome: { kind: 'exited', code: 0 },
      stdout: 'one two',
      stderr: 'error',
    });
  });

  it('waits for slow takers, in order', async () => {
    const taken: string[] = [];
    const onStdout = async (bytes: Uint8Array): Promise<void> => {
      await delay(bytes.length === 1 ? 20 : 1);
      taken.push(Buffer.from(bytes).toString());
    };
    const onExec: ApiServerScript['onExec'] = async ({ send, end }) => {
      for (const text of ['a', 'bb', 'c']) await send(1, text);
      await end(0);
    };
    assert.deepEqual((await play({ onExec }, { onStdout })).outcome, { kind: 'exited', code: 0 });
    assert.deepEqual(taken, ['a', 'bb', 'c']);
  });

  for (const protocol of ['v5.channel.k8s.io', 'v4.channel.k8s.io']) {
    it(`sends its whole input over ${protocol}, and the end of the input if the protocol can`, async () => {
      const sent = Buffer.alloc(3 * mebibyte + 1, 'input');
      let input: (Buffer | undefined)[] = [];
      const onExec: ApiServerScript['onExec'] = (exec) => {
        input = exec.input;
        exec.socket.on('message', () => {
          const length = input.reduce((sum, part) => sum + (part?.length ?? 0), 0);
          if (length === sent.length && (protocol.startsWith('v4') || input.at(-1) === undefined)) void exec.end(0);
        });
      };
      const stdin = async function* () {
        yield await Promise.resolve(sent.subarray(0, 10));
        yield sent.subarray(10);
      };
      assert.deepEqual((await play({ onExec, protocol }, { stdin: stdin() })).outcome, { kind: 'exited', code: 0 });
      assert.ok(Buffer.concat(input.filter((part) => part !== undefined)).equals(sent));
    });
  }

  it('fails with what its own caller throws', async () => {
    const error = new Error('no space left');
    const onExec: ApiServerScript['onExec'] = async ({ send, end }) => {
      await send(1, 'x');
      await end(0);
    };
    await assert.rejects(
      play({ onExec }, { onStdout: async () => await Promise.reject(error) }),
      (thrown) => thrown === error,
    );
    const stdin = async function* () {
      yield await Promise.reject(error);
    };
    await assert.rejects(play({}, { stdin: stdin() }), (thrown) => thrown === error);
  });
});

describe('an exec whose connection', () => {
  const broken: [string, NonNullable<ApiServerScript['onExec']>, RegExp][] = [
    ['closes without a status', ({ socket }) => socket.close(1000), /closed with 1000/],
    [
      'drops after output',
      async ({ send, drop }) => {
        await send(1, 'all is well\n');
        drop();
      },
      /closed with 1006|ECONNRESET/,
    ],
    [
      'closes before the status',
      ({ socket, raw }) => {
        socket.close(1000);
        raw.write(Buffer.concat([Buffer.from([0x82, 22, 3]), Buffer.from('{"status":"Success"}x')]));
      },
      /closed with 1000/,
    ],
    [
      'carries an invalid frame',
      ({ raw }) => void raw.write(Buffer.from([0xff, 0xff, 0x00, 0x13])),
      /Invalid WebSocket frame/,
    ],
    ['carries half a frame', ({ raw }) => void raw.end(Buffer.from([0x82, 100, 1, 2])), /closed with 1006/],
    [
      'carries a frame too large',
      ({ raw }) => void raw.write(Buffer.from([0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0])),
      /Max payload size exceeded/,
    ],
    ['carries a frame without a channel', ({ socket }) => socket.send(Buffer.alloc(0)), /unknown channel -1/],
    ['carries a frame for an unknown channel', async ({ send }) => await send(9, 'x'), /unknown channel 9/],
    ['carries text', ({ socket }) => socket.send('Success'), /frame of text/],
    ['carries a status that is no JSON', async ({ send }) => await send(3, '{"status":'), /could not be read/],
    ['carries a status without a verdict', async ({ send }) => await send(3, '{"code":0}'), /could not be read/],
    [
      'carries more than it may',
      async ({ send }) => {
        for (let count = 0; count < 40; count++) await send(1 + (count % 2), Buffer.alloc(32_768));
      },
      /more than 1048576 bytes/,
    ],
  ];
  for (const [what, onExec, reason] of broken) {
    it(`${what} has an unknown outcome, never a success`, async () => {
      const { outcome } = await play({ onExec });
      assert.equal(outcome.kind, 'unknown');
      assert.match('reason' in outcome ? outcome.reason : '', reason);
    });
  }

  it('reports that the command failed without a code has the outcome failed', async () => {
    const cases = [
      { status: 'Failure', message: 'container not found ("main")', reason: 'InternalError' },
      { ...statusOf(1), details: { causes: [{ reason: 'ExitCode', message: '0' }] } },
    ];
    for (const status of cases) {
      const { outcome } = await play({ onExec: async ({ send }) => await send(3, JSON.stringify(status)) });
      assert.equal(outcome.kind, 'failed', JSON.stringify(outcome));
    }
  });

  it('is half-open is given up when pings are not answered', async () => {
    const { outcome } = await play({ pong: false }, { pingEveryMs: 20 });
    assert.deepEqual(outcome, { kind: 'unknown', reason: 'the connection shows no sign of life' });
  });

  it('is silent is kept as long as pings are answered', async () => {
    const onExec: ApiServerScript['onExec'] = ({ socket, end }) => {
      let pings = 0;
      socket.on('ping', () => void (++pings === 10 && end(0)));
    };
    assert.deepEqual((await play({ onExec }, { pingEveryMs: 10 })).outcome, { kind: 'exited', code: 0 });
  });
});

describe('a slow taker', () => {
  it('slows the server down, so that memory doesn’t grow with the output', async () => {
    const total = 16_384 * 32_767;
    let sent = 0;
    const onExec: ApiServerScript['onExec'] = async ({ socket, end }) => {
      const frame = Buffer.alloc(32_768, 1);
      while (sent < total) {
        await new Promise((resolve) => socket.send(frame, resolve));
        sent += frame.length - 1;
      }
      await end(0);
    };
    const held = Promise.withResolvers<void>();
    let taken = 0;
    const before = process.memoryUsage.rss();
    let peak = 0;
    const onStdout = async (bytes: Uint8Array): Promise<void> => {
      peak = Math.max(peak, process.memoryUsage.rss());
      taken += bytes.length;
      await held.promise;
    };
    const playing = play({ onExec }, { onStdout, maxBytes: total, deadlineMs: 60_000, pingEveryMs: 20 });
    // Until nothing moves any more, for longer than it takes to miss the pings of a dead connection.
    for (let seen = -1; seen !== sent || sent === 0; await delay(200)) seen = sent;
    assert.ok(sent < 32 * mebibyte, `${sent} bytes were sent to a taker that takes none`);
    held.resolve();
    assert.deepEqual((await playing).outcome, { kind: 'exited', code: 0 });
    assert.equal(taken, total);
    // The garbage of both ends, which live in this process.
    assert.ok(peak - before < 128 * mebibyte, `grew by ${peak - before}`);
  });
});

describe('an exec that is refused', () => {
  for (const status of [400, 401, 403, 404, 409, 410, 429, 500, 503]) {
    it(`with ${status} says so, with the server's reason`, async () => {
      const body = JSON.stringify({ kind: 'Status', status: 'Failure', message: `because of ${status}`, code: status });
      assert.deepEqual((await play({ refuse: () => ({ status, body }) })).outcome, {
        kind: 'refused',
        status,
        reason: `because of ${status}`,
      });
    });
  }

  it('reports when to try again, and shortens an answer that isn’t a status', async () => {
    const { outcome } = await play({
      refuse: () => ({ status: 429, headers: { 'retry-after': '2' }, body: '<html>'.repeat(100_000) }),
    });
    assert.ok(outcome.kind === 'refused' && outcome.retryAfterMs === 2000 && outcome.reason.length === 500);
  });

  it('because there is no server is unreachable', async () => {
    const closed = createServer();
    await once(closed.listen(0, '127.0.0.1'), 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    assert.equal((await execInPod(targetAt(port), ['true'], { deadlineMs: 5000, maxBytes: 1 })).kind, 'unreachable');
  });
});

describe('an exec that takes too long', () => {
  it('has an unknown outcome at its deadline, connected or not', async () => {
    assert.deepEqual((await play({}, { deadlineMs: 50 })).outcome, { kind: 'unknown', reason: 'its deadline passed' });
    const silent = createServer();
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    silent.on('connection', (connection) => connection.on('error', () => {}));
    const outcome = await execInPod(targetAt((silent.address() as AddressInfo).port), ['true'], {
      deadlineMs: 50,
      maxBytes: 1,
    });
    silent.close();
    assert.ok(['unknown', 'unreachable'].includes(outcome.kind));
  });

  it('ends when it is aborted, also before it began', async () => {
    const abort = new AbortController();
    assert.deepEqual((await play({ onExec: () => abort.abort() }, { signal: abort.signal })).outcome, {
      kind: 'unknown',
      reason: 'it was aborted',
    });
    assert.equal((await play({}, { signal: abort.signal })).outcome.kind, 'unknown');
  });
});
