/** A real Temporal server, a worker of our own and a scripted model, for tests that run blueprints from end to end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import type { Parts } from '../../activities/parts.ts';
import { pino } from 'pino';
import { ensureBinary } from '../../binaries/ensure-binary.ts';
import type { BlueprintFile } from '../../blueprints/folder.ts';
import { createClient, type JigClient } from '../../client/client.ts';
import type { Json } from '../../base/json.ts';
import type { Model } from '../../model/contract.ts';
import { createScriptedModel } from '../../model/scripted.ts';
import type { ScriptInput } from '../../model/script.ts';
import { cacheDirOf, Config } from '../../worker/config.ts';
import { createMetrics } from '../../worker/health.ts';
import { installLogging } from '../../worker/logging.ts';
import { createParts } from '../../worker/parts.ts';
import { startTemporalServer, type TemporalServer } from '../../worker/temporal-server.ts';
import { chooseVersion, setCurrentVersion } from '../../worker/versions.ts';
import { startWorker, type JigWorker, type WorkerSetup } from '../../worker/worker.ts';
import { bundleWorkflows, type WorkflowBundle } from '../../worker/workflow-bundle.ts';
import type { RunEnd, RunState } from '../../workflows/messages.ts';
import type { LocalForge } from '../../forge/local/local-forge.ts';
import { makeRepository, type Files } from './repository.ts';

installLogging(pino({ level: process.env['JIG_TEST_LOG'] ?? 'fatal' }));

let ours: Promise<WorkflowBundle> | undefined;

export interface World extends AsyncDisposable {
  client: JigClient;
  forge: LocalForge;
  parts: Parts;
  server: TemporalServer;
  dataDir: string;
  /** What workers of other versions need beside their bundle. */
  setup: WorkerSetup;
  version: WorkerDeploymentVersion;
  /** The worker that takes work from the start. */
  worker: JigWorker;
  /** Makes a repository of these files in the local forge. */
  addRepository(name: string, files: Files, check?: string[]): Promise<{ path: string }>;
  start(blueprint: string | WrittenBlueprint, options?: StartOptions): Promise<string>;
  /** Starts a run and waits for its end. */
  run(
    blueprint: string | WrittenBlueprint,
    options?: StartOptions,
  ): Promise<{ runId: string; end: RunEnd; state: RunState }>;
  /** The first state of a run for which the condition holds. */
  until(runId: string, condition: (state: RunState) => boolean, deadlineMs?: number): Promise<RunState>;
}

/** A blueprint's text with the files beside it; a text alone is a lone file. */
export interface WrittenBlueprint {
  text: string;
  files: BlueprintFile[];
}

interface StartOptions {
  repository?: string;
  /** The local one where missing. */
  forge?: string;
  inputs?: Record<string, Json>;
}

export interface WorldOptions {
  script?: ScriptInput;
  model?: Model;
  config?: Record<string, unknown>;
  /** Workflows other than ours. */
  bundle?: WorkflowBundle;
  /** False: new runs start on no version, until somebody says so. */
  promote?: boolean;
  /** What the worker has in its environment beside ours, such as tokens. */
  env?: Record<string, string>;
}

const noReplies: ScriptInput = { script: 'v1', replies: [] };

export async function createWorld({
  script = noReplies,
  model,
  config: overrides = {},
  promote = true,
  bundle: chosen,
  env: more = {},
}: WorldOptions = {}): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'jig-e2e-'));
  const env = {
    ...process.env,
    ...more,
    JIG_DATA_DIR: dataDir,
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    JIG_MODEL: 'none',
  };
  const cliPath = await ensureBinary('temporal', {
    cacheDir: join(cacheDirOf(process.env), 'binaries'),
    env: process.env,
  });
  const server = await startTemporalServer({
    cliPath,
    dbFile: join(dataDir, 'temporal.db'),
    logFile: join(dataDir, 'temporal.log'),
  });
  const config = Config.parse({ ci: { pollMs: 50, graceMs: 500 }, ...overrides });
  const { parts: wired, localForge, redact, close: closeParts } = await createParts(config, env, () => {});
  const parts: Parts = { ...wired, model: model ?? createScriptedModel(script) };
  const nativeConnection = await NativeConnection.connect({ address: server.address });
  const bundle = chosen ?? (await (ours ??= bundleWorkflows(process.env)));
  const setup = { connection: nativeConnection, namespace: 'default', parts, redact, config, metrics: createMetrics() };
  const { version } = chooseVersion(bundle, config, {});
  const worker = await startWorker({ ...setup, bundle, version });
  // A worker that can't go on would leave every test waiting.
  worker.ended.catch((error: unknown) => {
    throw error;
  });
  if (promote) await setCurrentVersion(setup, version);
  const connection = await Connection.connect({ address: server.address });
  const client = createClient(new Client({ connection }), server.uiUrl);

  const closing = new AbortController();
  const start: World['start'] = async (written, { repository = 'acme/api', forge = 'local', inputs = {} } = {}) => {
    const { text, files } = typeof written === 'string' ? { text: written, files: [] } : written;
    const name = /^name: *(\S+)/m.exec(text)?.[1] ?? 'unnamed';
    const { runId } = await client.start({
      blueprint: { name, text, files, file: 'blueprint.yaml' },
      repository: { forge, name: repository },
      inputs,
      requester: 'tester',
    });
    return runId;
  };
  return {
    client,
    parts,
    server,
    dataDir,
    setup,
    version,
    worker,
    start,
    forge: localForge,
    async addRepository(name, files, check) {
      const path = await makeRepository(join(dataDir, 'sources', name), files);
      await localForge.ensureRepository({ name, source: path, ...(check && { check: { command: check } }) });
      return { path };
    },
    async run(written, options) {
      const runId = await start(written, options);
      const end = await client.result(runId);
      return { runId, end, state: await client.describe(runId) };
    },
    async until(runId, condition, deadlineMs = 30_000) {
      const signal = AbortSignal.any([AbortSignal.timeout(deadlineMs), closing.signal]);
      let last: RunState | undefined;
      for await (const state of client.follow(runId, { signal, pollMs: 20 })) {
        last = state;
        if (condition(state)) return state;
      }
      throw new Error(`${runId} did not come to it: ${JSON.stringify(last)}`);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      worker.shutdown();
      await worker.ended;
      await closeParts();
      await client.close();
      await nativeConnection.close();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
