/** An installation's configuration: one file, in which every key has a default, so that no file is needed. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { defaults } from '../base/defaults.ts';
import { JigError } from '../base/errors.ts';
import { defaultDataDir } from '../client/up-record.ts';
import { KubernetesSettings } from '../k8s/settings.ts';
import { ModelConfig } from '../model/choose-model.ts';
import { ForgesConfig } from './forges.ts';

export const Config = z.strictObject({
  dataDir: z
    .string()
    .optional()
    .describe('Where mirrors, artifacts, sandboxes and the local forge are kept; `JIG_DATA_DIR` goes before it'),
  sandbox: z
    .strictObject({
      provider: z
        .enum(['local', 'kubernetes', 'unsafe-process'])
        .default('local')
        .describe('Where commands run; `unsafe-process` isolates nothing'),
      leaseMs: z
        .number()
        .int()
        .min(600_000)
        .default(defaults.sandbox.leaseMs)
        .describe(
          'How long a sandbox lives after it was last used, where no run is known that needs it; that of a run under way stays',
        ),
      kubernetes: KubernetesSettings.prefault({}),
    })
    .prefault({}),
  model: ModelConfig.prefault({}),
  forges: ForgesConfig.default({}).describe('Code hosts beside the local one, by the name that runs call them'),
  recording: z.string().optional().describe('A recorded session that answers in place of a model'),
  record: z.string().optional().describe("Where the model's answers are written, as a recorded session"),
  runs: z
    .strictObject({
      heartbeatTimeoutMs: z
        .number()
        .int()
        .min(500)
        .default(10_000)
        .describe('After how long without a sign of life an activity is tried again, by this worker or another'),
      staleAfterMs: z
        .number()
        .int()
        .min(0)
        .default(24 * 3_600_000)
        .describe('After a longer gap, a run looks whether its repository has moved before it goes on'),
      humanWaitMs: z
        .number()
        .int()
        .min(1)
        .default(7 * 24 * 3_600_000)
        .describe('How long a paused or stale run waits for a person'),
      releaseAfterMs: z
        .number()
        .int()
        .min(0)
        .default(defaults.sandbox.releaseAfterMs)
        .describe(
          'A run that waits longer than this for a person or for CI lets its sandbox go, and comes back on an exact copy of the workspace',
        ),
      copyMaxBytes: z
        .number()
        .int()
        .min(1)
        .default(defaults.sandbox.copyMaxBytes)
        .describe('A workspace with more bytes than this isn’t copied: its run keeps its sandbox while it waits'),
      copyIgnoredMaxBytes: z
        .number()
        .int()
        .min(0)
        .default(defaults.sandbox.copyIgnoredMaxBytes)
        .describe(
          'Ignored files are copied too where they have at most so many bytes; else those that setup makes anew have to do',
        ),
      setupTimeoutMs: z
        .number()
        .int()
        .min(1000)
        .default(defaults.timeoutsMs.setup)
        .describe('How long a checkout, and each command of `sandbox.setup`, may take'),
      checkTimeoutMs: z
        .number()
        .int()
        .min(1000)
        .default(defaults.timeoutsMs.check)
        .describe('How long each command of a `check` without a `timeout`, of `verify` and of `autofix` may take'),
      agentCommandTimeoutMs: z
        .number()
        .int()
        .min(1000)
        .default(defaults.timeoutsMs.agentCommand)
        .describe('How long one command that an agent asks for may take'),
      toolOutputMaxCharacters: z
        .number()
        .int()
        .min(1000)
        .max(200_000)
        .default(defaults.agent.toolOutputMaxCharacters)
        .describe("How much of a tool's output a model is shown; of more, the first and the last half of that"),
      unusableAnswers: z
        .number()
        .int()
        .min(1)
        .default(defaults.agent.unusableAnswers)
        .describe('How many unusable answers of a model in a row end a step'),
      maxChangedFiles: z
        .number()
        .int()
        .min(1)
        .default(defaults.change.maxFiles)
        .describe('How many files a change may touch'),
      maxChangedBytes: z
        .number()
        .int()
        .min(1)
        .default(defaults.change.maxBytes)
        .describe('How many bytes the files of a change may have'),
      protectedPaths: z
        .array(z.string().max(512))
        .default([...defaults.change.protectedPaths])
        .describe('Globs that no change may touch; a list of your own replaces this one'),
      author: z
        .strictObject({ name: z.string(), email: z.string() })
        .default({ name: 'Jig', email: 'jig@localhost' })
        .describe('The author of the commits'),
      continueAfterEvents: z
        .number()
        .int()
        .min(0)
        .default(0)
        .describe('History length at which a run goes on as a new execution; 0: when the server suggests it'),
    })
    .prefault({}),
  ci: z
    .strictObject({
      pollMs: z
        .number()
        .int()
        .min(20)
        .default(500)
        .describe(
          'How often a forge is asked for the state of its checks at first; the pauses grow with the wait, to 15 s',
        ),
      graceMs: z
        .number()
        .int()
        .min(0)
        .default(60_000)
        .describe('How long the first check of a forge with a CI of its own may take to appear'),
    })
    .prefault({}),
  worker: z
    .strictObject({
      sandboxSlots: z.number().int().min(1).default(8).describe('How many commands run at once'),
      modelSlots: z.number().int().min(1).default(16).describe('How many questions to models are open at once'),
      forgeSlots: z.number().int().min(1).default(8).describe('How many calls to forges are open at once'),
      shutdownGraceMs: z
        .number()
        .int()
        .min(0)
        .default(10_000)
        .describe('How long what runs may take to end after SIGTERM'),
      takeOverAfterMs: z
        .number()
        .int()
        .min(100)
        .default(10_000)
        .describe('How long a run waits for the worker that has it in memory, before any other worker goes on with it'),
      healthPort: z
        .number()
        .int()
        .min(0)
        .max(65_535)
        .default(0)
        .describe('The port of health and metrics on 127.0.0.1; 0 takes a free one'),
      versions: z
        .strictObject({
          deployment: z
            .string()
            .regex(/^[^.:]+$/, 'must be a name without `.` and `:`')
            .default('jig')
            .describe('The name of the Temporal Worker Deployment; `TEMPORAL_DEPLOYMENT_NAME` goes before it'),
          promote: z
            .enum(['auto', 'manual'])
            .default('auto')
            .describe(
              'Who says on which version new runs start: `auto` takes the newest that has workers; `manual` leaves it to you, or to a controller',
            ),
        })
        .prefault({}),
    })
    .prefault({}),
});
export type Config = z.infer<typeof Config>;

/** The data folder: from `JIG_DATA_DIR`, the configuration, or the user's data folder. */
export function dataDirOf(config: Pick<Config, 'dataDir'>, env: NodeJS.ProcessEnv): string {
  return env['JIG_DATA_DIR'] === undefined && config.dataDir ? resolve(config.dataDir) : defaultDataDir(env);
}

/** The folder for what can be fetched again: binaries, downloads. */
export function cacheDirOf(env: NodeJS.ProcessEnv): string {
  return resolve(env['JIG_CACHE_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'jig'));
}

/**
 * Reads the configuration; the defaults if there is no file. @throws JigError `config-invalid` with every problem of
 * the file
 */
export async function loadConfig(file: string | undefined): Promise<Config> {
  if (!file) return Config.parse({});
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new JigError('config-invalid', `${file} can't be read`, { cause: error });
  });
  const parsed = Config.safeParse(parseYaml(file, text) ?? {});
  if (parsed.success) return parsed.data;
  throw new JigError('config-invalid', `${file} is no configuration:\n${z.prettifyError(parsed.error)}`);
}

function parseYaml(file: string, text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw new JigError(
      'config-invalid',
      `${file} is no YAML: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
