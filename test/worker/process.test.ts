import assert from 'node:assert/strict';
import { access, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { z } from 'zod';
import { ensureBinary } from '../../binaries/ensure-binary.ts';
import { createClient, type JigClient } from '../../client/client.ts';
import { dataFolders } from '../../client/data-folders.ts';
import { createLocalForge } from '../../forge/local/local-forge.ts';
import { cacheDirOf } from '../../worker/config.ts';
import { startTemporalServer, type TemporalServer } from '../../worker/temporal-server.ts';
import { main, quietEnv } from '../cli/jig.ts';
import { makeRepository } from '../e2e/repository.ts';

const secret = 'tok-abcd-efgh';

let folder = '';
let server: TemporalServer;
let client: JigClient;
const workers: ReturnType<typeof spawnWorker>[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jig-worker-'));
  const cliPath = await ensureBinary('temporal', {
    cacheDir: join(cacheDirOf(process.env), 'binaries'),
    env: process.env,
  });
  server = await startTemporalServer({
    cliPath,
    dbFile: join(folder, 'temporal.db'),
    logFile: join(folder, 'temporal.log'),
  });
  client = createClient(new Client({ connection: await Connection.connect({ address: server.address }) }));
  await writeFile(join(folder, 'jig.yaml'), 'worker: { shutdownGraceMs: 1500 }\nruns: { heartbeatTimeoutMs: 2000 }\n');
  const source = await makeRepository(join(folder, 'source'), { 'README.md': 'hello\n' });
  await createLocalForge({ rootDir: dataFolders(folder).forge }).ensureRepository({ name: 'acme/api', source });
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGTERM');
  await Promise.all(workers);
  await client.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function spawnWorker() {
  const env = quietEnv({ TEMPORAL_ADDRESS: server.address, JIG_DATA_DIR: folder, SERVICE_API_KEY: secret });
  return execa(process.execPath, [main, 'worker', '--config', join(folder, 'jig.yaml')], {
    env,
    extendEnv: false,
    reject: false,
  });
}

/** `health`: where it answers, as soon as it says so. Listened for from the start: it is said once. */
function startWorker() {
  const process = spawnWorker();
  workers.push(process);
  return { process, health: healthOf(process) };
}

const Line = z.looseObject({
  msg: z.string(),
  level: z.number(),
  health: z.string().optional(),
  run: z.string().optional(),
});

/** The lines that are JSON; the last sentence is for a person. */
const linesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => Line.parse(JSON.parse(line)));

async function healthOf(worker: ReturnType<typeof spawnWorker>): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = '';
    worker.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const health = linesOf(text.slice(0, text.lastIndexOf('\n') + 1)).find((line) => line.health)?.health;
      if (health) resolve(health);
    });
    void worker.then(({ stderr }) => reject(new Error(`the worker ended: ${stderr}`)));
  });
}

async function until<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  const deadlineMs = Date.now() + 20_000;
  while (Date.now() < deadlineMs) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(25);
  }
  throw new Error('it did not come');
}

const start = async (name: string, steps: string): Promise<string> =>
  (
    await client.start({
      blueprint: { name, text: `blueprint: v1\nname: ${name}\nsteps:\n${steps}`, file: `${name}.yaml` },
      repository: { forge: 'local', name: 'acme/api' },
      inputs: {},
      requester: 'tester',
    })
  ).runId;

/** A file of the one sandbox that there is. */
async function workspaceFile(name: string): Promise<string | undefined> {
  for (const sandbox of await readdir(dataFolders(folder).sandboxes).catch(() => [])) {
    const path = join(dataFolders(folder).sandboxes, sandbox, 'workspace', name);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

test('a worker drains on SIGTERM: it lets its running command go, another worker follows it, and it runs once', async () => {
  const first = startWorker();
  const health = await first.health;
  assert.equal((await fetch(`${health}/healthz`)).status, 200);
  const runId = await start(
    'handed-over',
    `
  - id: long
    run: echo ran >> count; until [ -e go ]; do sleep 0.05; done; wc -l < count
    retry: 2
  - end: { outcome: succeeded, reason: "\${{ steps.long.stdout }} time" }
`,
  );
  const count = await until(() => workspaceFile('count'));
  first.process.kill('SIGTERM');
  await until(async () => ((await fetch(`${health}/healthz`)).status === 503 ? true : undefined));
  const second = startWorker();
  const { exitCode, stderr } = await first.process;
  assert.equal(exitCode, 0, stderr);
  const metrics = await second.health;
  await writeFile(join(count, '..', 'go'), '');
  assert.equal((await client.result(runId)).reason, '1 time');

  assert.match(
    await (await fetch(`${metrics}/metrics`)).text(),
    /jig_activity_seconds_count\{activity="runCommand",outcome="completed"\} 1/,
  );
  assert.equal((await fetch(`${metrics}/else`)).status, 404);
  assert.ok(
    linesOf(stderr).some(({ msg, run }) => msg === 'Activity failed' && run === runId),
    stderr,
  );
});

test('a secret of the worker, also in base64, is masked in a failure that Temporal keeps', async () => {
  for (const [name, encode] of [
    ['plain', ''],
    ['encoded', ' | base64 | tr -d "\\n"'],
  ] as const) {
    const runId = await start(
      `leak-${name}`,
      `
  - id: leak
    run: printf 'tok-%s-%s' abcd efgh${encode}
    parse: json
`,
    );
    const end = await client.result(runId);
    assert.equal(end.code, 'output-not-json');
    assert.match(end.reason, /\[redacted\]/);
    const history = JSON.stringify(
      await client.temporal.workflow.getHandle(runId).fetchHistory(),
      (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value),
    );
    for (const text of [secret, Buffer.from(secret).toString('base64')]) assert.ok(!history.includes(text), text);
    assert.match(history, /\[redacted\]/);
  }
});
