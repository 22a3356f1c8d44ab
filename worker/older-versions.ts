/**
 * Serves older versions in addition to a worker's own: those whose workflows were kept and that open runs still need.
 * Their activities are this version's, which accept the requests of every released version's workflows.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import type { Logger } from 'pino';
import { countOpenRuns, describeVersions, forOlderRuns, isServed } from '../client/versions.ts';
import { findKeptBundle, keepBundle, listKeptBundles, removeKeptBundle } from './kept-bundles.ts';
import { ensureNewestIsCurrent, type ChosenVersion } from './versions.ts';
import { startWorker, workerName, type JigWorker, type WorkerSetup } from './worker.ts';
import type { WorkflowBundle } from './workflow-bundle.ts';

const lookEveryMs = 60_000;

export interface VersionKeeper {
  setup: WorkerSetup;
  own: ChosenVersion;
  dataDir: string;
  log: Logger;
}

export interface OlderVersions {
  /** The build ids of the older versions that are served now. */
  served(): string[];
  /** Checks at intervals, until the signal aborts, which versions runs need. Then lets the workers drain. */
  run(signal: AbortSignal): Promise<void>;
}

/** Keeps this version's bundle. Resolves when workers of all older versions that runs need have started. */
export async function serveOlderVersions(keeper: VersionKeeper, bundle: WorkflowBundle): Promise<OlderVersions> {
  const { own, dataDir, log } = keeper;
  const served = new Map<string, JigWorker>();
  await keepBundle(dataDir, own.version.buildId, bundle);
  await look(keeper, served);
  return {
    served: () => [...served.keys()],
    async run(signal) {
      while (!signal.aborted) {
        await wait(lookEveryMs, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) break;
        await look(keeper, served).catch((error: unknown) => log.warn({ err: error }, 'looking at versions failed'));
      }
      for (const worker of served.values()) worker.shutdown();
      await Promise.allSettled([...served.values()].map(({ ended }) => ended));
    },
  };
}

/** Checks once: starts the workers that runs need, and ends those that no run needs any more. */
async function look({ setup, own, dataDir, log }: VersionKeeper, served: Map<string, JigWorker>): Promise<void> {
  if (own.promote === 'auto') await ensureNewestIsCurrent(setup, own.version);
  for (const buildId of await listKeptBundles(dataDir)) {
    if (buildId === own.version.buildId) continue;
    const version: WorkerDeploymentVersion = { ...own.version, buildId };
    const runs = await countOpenRuns(setup, version);
    const worker = served.get(buildId);
    if (runs > 0 && !worker) {
      const bundle = await findKeptBundle(dataDir, buildId);
      if (!bundle) continue;
      const started = await startWorker({ ...setup, bundle, version, identity: `${workerName}${forOlderRuns}` });
      served.set(buildId, started);
      started.ended.catch((error: unknown) => {
        served.delete(buildId);
        log.error({ err: error, version: buildId }, 'a worker of an older version failed');
      });
      log.info({ version: buildId, runs }, 'serving an older version');
    }
    if (runs === 0 && worker) {
      worker.shutdown();
      await worker.ended;
      served.delete(buildId);
      log.info({ version: buildId }, 'no run needs an older version any more');
    }
    // Another process may just have started a worker of it.
    if (runs === 0 && !isServed(await describeVersions(setup), version)) await removeKeptBundle(dataDir, buildId);
  }
}
