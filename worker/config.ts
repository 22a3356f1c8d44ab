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
    .describe('The folder for mirrors, artifacts, sandboxes and the local forge; `JIG_DATA_DIR` overrides it'),
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
        .describe('How long a sandbox is kept after its last use if no run owns it; a sandbox of an open run is kept'),
      kubernetes: KubernetesSettings.prefault({}),
    })
    .prefault({}),
  model: ModelConfig.prefault({}),
  forges: ForgesConfig.default({}).describe(
    'Code hosts besides the local forge, by name; runs use the name, as in `gitea:acme/api`',
  ),
  recording: z.string().optional().describe('A recorded session that answers instead of a model'),
  record: z.string().optional().describe("The file to which the model's answers are written as a recorded session"),
  runs: z
    .strictObject({
      heartbeatTimeoutMs: z
        .number()
        .int()
        .min(500)
        .default(10_000)
        .describe('How long an activity may be silent before it is tried again, by this worker or another'),
      staleAfterMs: z
        .number()
        .int()
        .min(0)
        .default(24 * 3_600_000)
        .describe('After a longer gap, a run checks whether its repository has changed before it goes on'),
      humanWaitMs: z
        .number()
        .int()
        .min(1)
        .default(7 * 24 * 3_600_000)
        .describe(
          'How long a run waits for a person after it was paused, or after its repository changed while it was away',
        ),
      releaseAfterMs: z
        .number()
        .int()
        .min(0)
        .default(defaults.sandbox.releaseAfterMs)
        .describe(
          'A run that waits longer than this for a person or for CI gives up its sandbox, and continues later on an exact copy of the workspace',
        ),
      copyMaxBytes: z
        .number()
        .int()
        .min(1)
        .default(defaults.sandbox.copyMaxBytes)
        .describe('A larger workspace isn’t copied: its run keeps its sandbox while it waits'),
      copyIgnoredMaxBytes: z
        .number()
        .int()
        .min(0)
        .default(defaults.sandbox.copyIgnoredMaxBytes)
        .describe(
          'Ignored files are copied too if they have at most this many bytes together; if not, `setup` must make them again',
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
        .describe("How much of a tool's output a model sees; of a longer output, it sees the beginning and the end"),
      unusableAnswers: z
        .number()
        .int()
        .min(1)
        .default(defaults.agent.unusableAnswers)
        .describe('How many unusable answers in a row end a step'),
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
        .describe('How many bytes the files of a change may have together'),
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
        .describe(
          'The length of its history at which a run continues as a new execution; 0: when Temporal suggests it',
        ),
    })
    .prefault({}),
  ci: z
    .strictObject({
      pollMs: z
        .number()
        .int()
        .min(20)
        .default(500)
        .describe('How often a forge is first asked for the state of its checks; the pauses grow to 15 s'),
      graceMs: z
        .number()
        .int()
        .min(0)
        .default(60_000)
        .describe('How long a run waits for the first check to appear, on a forge with its own CI'),
    })
    .prefault({}),
  worker: z
    .strictObject({
      sandboxSlots: z.number().int().min(1).default(8).describe('How many commands run at once'),
      modelSlots: z.number().int().min(1).default(16).describe('How many models are asked at once'),
      forgeSlots: z.number().int().min(1).default(8).describe('How many calls to forges are made at once'),
      shutdownGraceMs: z
        .number()
        .int()
        .min(0)
        .default(10_000)
        .describe('How much time running work has to finish after SIGTERM'),
      takeOverAfterMs: z
        .number()
        .int()
        .min(100)
        .default(10_000)
        .describe('How long a run waits for the worker that has it in memory before another worker takes it over'),
      healthPort: z
        .number()
        .int()
        .min(0)
        .max(65_535)
        .default(0)
        .describe('The port for health and metrics on 127.0.0.1; 0: any free port'),
      versions: z
        .strictObject({
          deployment: z
            .string()
            .regex(/^[^.:]+$/, 'must be a name without `.` and `:`')
            .default('jig')
            .describe('The name of the Temporal Worker Deployment; `TEMPORAL_DEPLOYMENT_NAME` overrides it'),
          promote: z
            .enum(['auto', 'manual'])
            .default('auto')
            .describe(
              'Who decides on which version new runs start. `auto`: the newest version that has workers. `manual`: you, or a controller',
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
  throw new JigError('config-invalid', `${file} is not a valid configuration:\n${z.prettifyError(parsed.error)}`);
}

function parseYaml(file: string, text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw new JigError(
      'config-invalid',
      `${file} is not valid YAML: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
