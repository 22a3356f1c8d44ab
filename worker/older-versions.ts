/**
 * Serves older versions in addition to a worker's own: those whose workflows were kept and that open runs still need.
 * Their activities are this version's, which accept the requests of every released version's workflows.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import type { Logger } from 'pino';
import {
  countOpenRuns,
  describeVersions,
  findWaitingRuns,
  forOlderRuns,
  isServed,
  describeWaitingRuns,
} from '../client/versions.ts';
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
  /** Called with a line for the person who started the worker. */
  onNote: (line: string) => void;
}

/**
 * Keeps this version's bundle. Then it serves the older versions that open runs need, and checks at intervals which
 * those are. When the signal aborts, it drains the older versions' workers and returns.
 */
export async function serveOlderVersions(
  keeper: VersionKeeper,
  bundle: WorkflowBundle,
  signal: AbortSignal,
): Promise<void> {
  const { setup, own, dataDir, log, onNote } = keeper;
  const served = new Map<string, JigWorker>();
  const warn = (error: unknown): void => log.warn({ err: error }, 'could not look for older versions that runs need');
  await keepBundle(dataDir, own.version.buildId, bundle).catch(warn);
  await look(keeper, served).catch(warn);
  await noteWaiting(setup, own, served, onNote).catch(warn);
  while (!signal.aborted) {
    await wait(lookEveryMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await look(keeper, served).catch(warn);
  }
  for (const worker of served.values()) worker.shutdown();
  await Promise.allSettled([...served.values()].map(({ ended }) => ended));
}

/** Reports which runs wait for versions that this process can't serve. */
async function noteWaiting(
  setup: WorkerSetup,
  { version }: ChosenVersion,
  served: Map<string, JigWorker>,
  onNote: (line: string) => void,
): Promise<void> {
  for (const waiting of await findWaitingRuns(setup, version.deploymentName)) {
    // Temporal may not have seen the workers that started just now.
    if (served.has(waiting.version.buildId)) continue;
    const { message, hint } = describeWaitingRuns(waiting);
    onNote(`${message}. ${hint}`);
  }
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
      log.info({ version: buildId, runs }, 'started a worker for an older version');
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
