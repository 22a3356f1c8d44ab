/** The options, configuration and logs that `up`, `worker` and `demo` share. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { pino, type Logger } from 'pino';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Config } from '../worker/config.ts';
import { note, paintErr } from './output.ts';

export interface ProcessOptions {
  config?: string;
  recording?: string;
  record?: string;
  sandbox?: 'local' | 'kubernetes' | 'unsafe-process';
  verbose?: true;
}

export function addProcessOptions(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration, a YAML file')
    .option('--recording <file>', 'answer from a recorded session instead of a model')
    .option('--record <file>', "write the model's answers as a recorded session")
    .addOption(
      new Option('--sandbox <provider>', 'where commands run; unsafe-process isolates nothing').choices([
        'local',
        'kubernetes',
        'unsafe-process',
      ]),
    );
}

/** The configuration of the file, overridden by the command line. @throws JigError `config-invalid` */
export async function readConfig({ config: file, recording, record, sandbox }: ProcessOptions): Promise<Config> {
  const { loadConfig } = await import('../worker/config.ts');
  const config = await loadConfig(file);
  const chosen: Config = {
    ...config,
    ...(recording !== undefined && { recording }),
    ...(record !== undefined && { record }),
    ...(sandbox && { sandbox: { ...config.sandbox, provider: sandbox } }),
  };
  if (chosen.sandbox.provider === 'unsafe-process') {
    note(
      `${paintErr('red', 'UNSAFE')}: commands of blueprints and models run as plain processes of this user, without any isolation`,
    );
  }
  return chosen;
}

/** Sends JSON logs, Temporal's included, to a file or to standard error. Call it once in a process. */
export async function createLog(file: string | undefined): Promise<Logger> {
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
  const log = pino(
    { level: process.env['JIG_LOG_LEVEL'] ?? 'info' },
    pino.destination({ dest: file ?? 2, sync: true }),
  );
  const { installLogging } = await import('../worker/logging.ts');
  installLogging(log);
  return log;
}
