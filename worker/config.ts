/** An installation's configuration: one file, each key with a default, so that none is needed. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { defaults } from '../blueprints/defaults.ts';
import { JigError } from '../blueprints/errors.ts';
import { defaultDataDir } from '../client/up-record.ts';
import { ModelConfig } from '../model/choose-model.ts';

export const Config = z.strictObject({
  /** Where mirrors, artifacts, sandboxes and the local forge are kept. */
  dataDir: z.string().optional(),
  sandbox: z.strictObject({ provider: z.enum(['local', 'unsafe-process']).default('local') }).prefault({}),
  model: ModelConfig.prefault({}),
  /** A recorded session that answers in place of a model. */
  recording: z.string().optional(),
  /** Where the model's answers are written, as a recorded session. */
  record: z.string().optional(),
  runs: z
    .strictObject({
      heartbeatTimeoutMs: z.number().int().min(500).default(10_000),
      staleAfterMs: z.number().int().min(0).default(24 * 3_600_000),
      humanWaitMs: z.number().int().min(1).default(7 * 24 * 3_600_000),
      maxChangedFiles: z.number().int().min(1).default(defaults.change.maxFiles),
      maxChangedBytes: z.number().int().min(1).default(defaults.change.maxBytes),
      protectedPaths: z.array(z.string().max(512)).default([...defaults.change.protectedPaths]),
      author: z.strictObject({ name: z.string(), email: z.string() }).default({ name: 'Jig', email: 'jig@localhost' }),
      continueAfterEvents: z.number().int().min(0).default(0),
    })
    .prefault({}),
  ci: z.strictObject({ pollMs: z.number().int().min(20).default(500), graceMs: z.number().int().min(0).default(60_000) }).prefault({}),
  worker: z
    .strictObject({
      /** How many commands, questions and forge calls run at once. */
      sandboxSlots: z.number().int().min(1).default(8),
      modelSlots: z.number().int().min(1).default(16),
      forgeSlots: z.number().int().min(1).default(8),
      shutdownGraceMs: z.number().int().min(0).default(10_000),
      /** How long a run waits for the worker that has it in memory, before any other worker goes on with it. */
      takeOverAfterMs: z.number().int().min(100).default(10_000),
      /** Where health and metrics are served; 0 takes a free port. */
      healthPort: z.number().int().min(0).max(65_535).default(0),
    })
    .prefault({}),
});
export type Config = z.infer<typeof Config>;

/** The folder for data: `JIG_DATA_DIR`, the configuration, or the user's data folder. */
export function dataDirOf(config: Pick<Config, 'dataDir'>, env: NodeJS.ProcessEnv): string {
  return env['JIG_DATA_DIR'] === undefined && config.dataDir ? resolve(config.dataDir) : defaultDataDir(env);
}

/** The folder for what can be had again: binaries, downloads. */
export function cacheDirOf(env: NodeJS.ProcessEnv): string {
  return resolve(env['JIG_CACHE_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'jig'));
}

/** @throws JigError `config-invalid` with every problem of the file */
export async function loadConfig(file: string | undefined): Promise<Config> {
  if (!file) return Config.parse({});
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new JigError('config-invalid', `${file} can't be read`, { cause: error });
  });
  const parsed = Config.safeParse(parse(text, { maxAliasCount: 0 }) ?? {});
  if (parsed.success) return parsed.data;
  throw new JigError('config-invalid', `${file} is no configuration:\n${z.prettifyError(parsed.error)}`);
}
