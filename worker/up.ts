/**
 * Runs everything for one person in one process: the embedded Temporal, a worker, the local sandbox and the local
 * forge.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifySelf } from '../base/process-identity.ts';
import { ensureBinary } from '../binaries/ensure-binary.ts';
import { upFile, type UpRecord } from '../client/up-record.ts';
import { cacheDirOf, dataDirOf } from './config.ts';
import { startWorkerProcess, type WorkerProcess, type WorkerProcessOptions } from './process.ts';
import { startTemporalServer } from './temporal-server.ts';
import { bundleWorkflows } from './workflow-bundle.ts';

/** A running `jig up`. */
export interface Up {
  worker: WorkerProcess;
  address: string;
  uiUrl: string;
  stop(): Promise<void>;
}

/** Starts everything and writes where it is to `<data>/up.json`, where the other commands look. */
export async function startUp(
  options: Omit<WorkerProcessOptions, 'address' | 'bundle'> & { port?: number; uiPort?: number },
): Promise<Up> {
  const { config, env, onProgress } = options;
  const dataDir = dataDirOf(config, env);
  await mkdir(dataDir, { recursive: true });
  // This runs during the server's start, since both take a while. If it fails, the worker's start reports it.
  const bundle = bundleWorkflows(env);
  bundle.catch(() => undefined);
  const cliPath = await ensureBinary('temporal', { cacheDir: join(cacheDirOf(env), 'binaries'), env, onProgress });
  const server = await startTemporalServer({
    cliPath,
    dbFile: join(dataDir, 'temporal.db'),
    logFile: join(dataDir, 'temporal.log'),
    ...(options.port !== undefined && { port: options.port }),
    ...(options.uiPort !== undefined && { uiPort: options.uiPort }),
  });
  const { address, uiUrl } = server;
  try {
    const worker = await startWorkerProcess({ ...options, address, bundle });
    const startedAt = new Date().toISOString();
    const record: UpRecord = { ...(await identifySelf()), address, uiUrl, startedAt };
    await writeFile(upFile(dataDir), JSON.stringify(record));
    const stop = async (): Promise<void> => {
      try {
        await worker.stop();
      } finally {
        await server.stop();
        // Until now, another one must not start a server on the same file.
        await rm(upFile(dataDir), { force: true });
      }
    };
    return { worker, address, uiUrl, stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
