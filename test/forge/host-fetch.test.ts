import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { test } from 'vitest';
import { ForgeFailure } from '../../forge/errors.ts';
import { createHostFetch, failureOf } from '../../forge/host-fetch.ts';

const inAMinute = () => new Date(Date.now() + 60_000).toUTCString();
const table: [
  status: number,
  headers: Record<string, string>,
  code: ForgeFailure['code'],
  retryable: boolean,
  retryAfterMs?: number,
][] = [
  [301, { location: '/elsewhere' }, 'forge-moved', false],
  [307, { location: '/elsewhere' }, 'forge-moved', false],
  [400, {}, 'forge-refused', false],
  [401, {}, 'forge-unauthorized', false],
  [403, {}, 'forge-unauthorized', false],
  [403, { 'retry-after': '7' }, 'forge-unavailable', true, 7000],
  [403, { 'x-ratelimit-remaining': '0' }, 'forge-unavailable', true],
  [404, {}, 'forge-not-found', false],
  [408, {}, 'forge-unavailable', true],
  [409, {}, 'forge-conflict', false],
  [412, {}, 'forge-conflict', false],
  [422, {}, 'forge-refused', false],
  [423, {}, 'forge-refused', false],
  [429, {}, 'forge-unavailable', true],
  [429, { 'retry-after': '3' }, 'forge-unavailable', true, 3000],
  [429, { 'retry-after': '999999' }, 'forge-unavailable', true, 900_000],
  [500, {}, 'forge-unavailable', true],
  [502, {}, 'forge-unavailable', true],
  [503, { 'retry-after': '0' }, 'forge-unavailable', true, 0],
];
for (const [status, headers, code, retryable, retryAfterMs] of table) {
  test(`${status} ${JSON.stringify(headers)} → ${code}${retryable ? ', retryable' : ''}${retryAfterMs === undefined ? '' : ` after ${retryAfterMs} ms`}`, () => {
    const failure = failureOf('git', { status, headers: new Headers(headers) }, '');
    assert.deepEqual([failure.code, failure.retryable, failure.retryAfterMs], [code, retryable, retryAfterMs]);
  });
}

test('the time to wait can be given as a date, or as the end of a rate limit', () => {
  for (const headers of [
    { 'retry-after': inAMinute() },
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.round(Date.now() / 1000) + 60) },
  ]) {
    const { retryAfterMs = 0 } = failureOf('git', { status: 403, headers: new Headers(headers) }, '');
    assert.ok(retryAfterMs > 50_000 && retryAfterMs <= 61_000, String(retryAfterMs));
  }
});

async function withServer(
  listener: RequestListener,
  use: (url: string, ask: typeof fetch) => Promise<void>,
  timeoutMs = 60_000,
): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  try {
    await use(
      `http://127.0.0.1:${address.port}/`,
      createHostFetch({ host: 'git', authorization: async () => 'token 0123456789abcdef', timeoutMs }),
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('credentials are sent with each request, never to a redirect, and never appear in a message', async () => {
  const seen: (string | undefined)[] = [];
  const elsewhere: string[] = [];
  await withServer(
    (request, response) => {
      elsewhere.push(request.url ?? '');
      response.end();
    },
    (other) =>
      withServer(
        (request, response) => {
          seen.push(request.headers.authorization);
          if (request.url === '/moved') response.writeHead(302, { location: other }).end();
          else response.writeHead(500).end(`it broke on token 0123456789abcdef\n\u001b[31m${'x'.repeat(1000)}`);
        },
        async (url, ask) => {
          await assert.rejects(ask(`${url}moved`), { name: 'ForgeFailure', code: 'forge-moved' });
          const failure = await ask(url).catch((error: unknown) => error);
          assert.ok(failure instanceof ForgeFailure);
          assert.match(failure.message, /^git answered 500: it broke on token \[redacted\] \[31mx+$/);
          assert.ok(failure.message.length < 400);
        },
      ),
  );
  assert.deepEqual(seen, ['token 0123456789abcdef', 'token 0123456789abcdef']);
  assert.deepEqual(elsewhere, []);
});

test('an answer that is missing, breaks off or is too large gives a typed failure', async () => {
  await withServer(
    () => undefined,
    async (url, ask) => {
      await assert.rejects(ask(url), { code: 'forge-unavailable', retryable: true, message: /TimeoutError/ });
    },
    500,
  );
  await withServer(
    (request, response) => {
      if (request.url === '/cut')
        response.writeHead(200, { 'content-length': '100' }).write('{"a":', () => response.destroy());
      else {
        response.writeHead(200);
        for (let part = 0; part < 20; part += 1) response.write(Buffer.alloc(1_000_000));
        response.end();
      }
    },
    async (url, ask) => {
      await assert.rejects(ask(`${url}cut`), { code: 'forge-unavailable', retryable: true });
      await assert.rejects(ask(`${url}large`), { code: 'forge-refused', retryable: false });
    },
  );
  await assert.rejects(createHostFetch({ host: 'git', authorization: async () => '' })('http://127.0.0.1:9/'), {
    code: 'forge-unavailable',
    message: /ECONNREFUSED|bad port|could not be reached/,
  });
});
