/**
 * A worker's process for the crash tests, made of the same parts as `worker/process.ts`. It starts up, waits for a line
 * on standard input, then takes work until it is killed; it goes when whoever started it has gone.
 */
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { flushCompileCache } from 'node:module';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { z } from 'zod';
import { Config } from '../../worker/config.ts';
import { createMetrics } from '../../worker/health.ts';
import { removeLeftovers } from '../../worker/leftovers.ts';
import { runLocalCi } from '../../worker/local-ci.ts';
import { installLogging } from '../../worker/logging.ts';
import { createParts } from '../../worker/parts.ts';
import { chooseVersion, setCurrentVersion } from '../../worker/versions.ts';
import { startWorker } from '../../worker/worker.ts';
import { createPoints } from './points.ts';
import { wrapParts } from './wrapped-parts.ts';

const Settings = z.strictObject({
  address: z.string(),
  namespace: z.string(),
  bundleFile: z.string(),
  trapFolder: z.string(),
  checksAtOnce: z.number(),
  config: z.unknown(),
});
const {
  address,
  namespace,
  bundleFile,
  trapFolder,
  checksAtOnce,
  config: wanted,
} = Settings.parse(JSON.parse(process.argv[2] ?? ''));

const log = pino({ level: process.env['JIG_TEST_LOG'] ?? 'silent' }, pino.destination(2));
installLogging(log);
const config = Config.parse(wanted);
const { parts: real, localForge, redact, dataDir } = await createParts(config, process.env, () => {});
const parts = wrapParts(real, createPoints(trapFolder));
const bundle = { code: await readFile(bundleFile, 'utf8'), sourceMap: '' };

process.stdin.once('end', () => process.exit(1));
// What is killed would never keep what it compiled for the next one.
flushCompileCache();
await once(process.stdin, 'data');

await removeLeftovers({ dataDir, log });
const connection = await NativeConnection.connect({ address });
const setup = { connection, namespace, parts, redact, config, metrics: createMetrics() };
const { version } = chooseVersion(bundle, config, {});
const worker = await startWorker({ ...setup, bundle, version });
const stopping = new AbortController();
process.once('SIGTERM', () => {
  stopping.abort();
  worker.shutdown();
});
// A worker that is stopped meanwhile leaves it to the next one.
const promoting = setCurrentVersion(setup, version).catch((error: unknown) => {
  if (!stopping.signal.aborted) throw error;
});
const checks = Array.from({ length: checksAtOnce }, () =>
  runLocalCi({ parts, forge: localForge, log }, stopping.signal),
);
await Promise.all([worker.ended, promoting, ...checks]);
await connection.close();
process.exit(0);
