/**
 * Starts everything in a worker's process: the worker itself, the local forge's CI, the sweeper, health and metrics.
 */
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { Client } from '@temporalio/client';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { JigError } from '../base/errors.ts';
import type { Config } from './config.ts';
import { createMetrics, serveHealth } from './health.ts';
import { runLocalCi } from './local-ci.ts';
import { runLeftovers } from './leftovers.ts';
import { createParts, type Installation } from './parts.ts';
import { serveOlderVersions } from './older-versions.ts';
import { runSweeper } from './sweeper.ts';
import { chooseVersion, ensureNewestIsCurrent, setCurrentVersion } from './versions.ts';
import { startWorker } from './worker.ts';
import { bundleWorkflows, type WorkflowBundle } from './workflow-bundle.ts';

export interface WorkerProcess {
  installation: Installation;
  healthUrl: string;
  namespace: string;
  version: WorkerDeploymentVersion;
  /** Resolves when everything has stopped; rejects if the worker failed. */
  ended: Promise<void>;
  /** Drains and stops. Repeatable. */
  stop(): Promise<void>;
}

export interface WorkerProcessOptions {
  config: Config;
  env: NodeJS.ProcessEnv;
  log: Logger;
  onProgress: (line: string) => void;
  /** The server of `jig up`. If missing, `TEMPORAL_*` and the profile decide, as in Temporal's own tools. */
  address?: string;
  /** The bundle, if the caller has already started to make it. */
  bundle?: Promise<WorkflowBundle>;
}

/** Starts a worker's process. @throws JigError `temporal-unreachable`, and what the parts throw */
export async function startWorkerProcess({
  config,
  env,
  log,
  onProgress,
  address,
  bundle: begun,
}: WorkerProcessOptions): Promise<WorkerProcess> {
  const profile = loadClientConnectConfig();
  const namespace = address ? 'default' : (profile.namespace ?? 'default');
  const [connection, bundle, installation] = await Promise.all([
    connect(address ? { address } : profile.connectionOptions),
    begun ?? bundleWorkflows(env),
    createParts(config, env, onProgress),
  ]);
  const metrics = createMetrics();
  const { parts, localForge, redact, dataDir } = installation;
  const setup = { connection, namespace, parts, redact, config, metrics };
  const own = chooseVersion(bundle, config, env);
  const worker = await startWorker({ ...setup, bundle, version: own.version });
  // A worker that is alone on its server can become current without asking others.
  if (address !== undefined) await setCurrentVersion(setup, own.version);
  else if (own.promote === 'auto') await ensureNewestIsCurrent(setup, own.version);
  const stopping = new AbortController();
  const health = await serveHealth(metrics, config.worker.healthPort, () => !stopping.signal.aborted);
  const client = new Client({ connection, namespace });
  const background = Promise.all([
    runLeftovers({ dataDir, log }, stopping.signal),
    serveOlderVersions({ setup, own, dataDir, log, onNote: onProgress }, bundle, stopping.signal),
    runLocalCi({ parts, forge: localForge, log }, stopping.signal),
    runSweeper({ parts, client, log }, stopping.signal),
  ]);
  const ended = (async () => {
    try {
      await worker.ended;
    } finally {
      stopping.abort();
      await background;
      await health.close();
      await installation.close();
      await connection.close();
    }
  })();
  log.info(
    {
      namespace,
      version: own.version.buildId,
      health: health.url,
      model: parts.model.name,
      source: parts.model.source,
      sandbox: parts.sandboxes.name,
      forges: [...parts.forges.keys()],
    },
    'worker is ready',
  );
  return {
    installation,
    namespace,
    version: own.version,
    ended,
    healthUrl: health.url,
    async stop() {
      stopping.abort();
      worker.shutdown();
      await ended;
    },
  };
}

async function connect(options: Parameters<typeof NativeConnection.connect>[0] = {}): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    throw new JigError('temporal-unreachable', `Temporal does not answer at ${options.address ?? 'localhost:7233'}`, {
      hint: 'Start `jig up`, or set TEMPORAL_ADDRESS.',
      cause: error,
    });
  }
}
