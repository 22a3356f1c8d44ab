import { join } from 'node:path';
import { Command } from 'commander';
import { JigError } from '../base/errors.ts';
import { withLock } from '../base/lock.ts';
import { findUp } from '../client/up-record.ts';
import type { Up } from '../worker/up.ts';
import { port } from './option-values.ts';
import { note, paintErr, paintOut, print, printJson, table } from './output.ts';
import { addProcessOptions, createLog, readConfig, type ProcessOptions } from './process-options.ts';
import { onStop, untilAborted } from './signals.ts';

interface Options extends ProcessOptions {
  port?: number;
  uiPort?: number;
  json?: true;
}

export const up = addProcessOptions(new Command('up'))
  .description(
    'Starts everything that runs need, for one person, in one process: a Temporal dev server with its UI, a worker, the local sandbox and the local forge. The other commands find it.',
  )
  .option('--port <number>', "Temporal's port (default: a free one)", port)
  .option('--ui-port <number>', "the port of Temporal's UI (default: a free one)", port)
  .option('--verbose', 'write logs to standard error instead of the file')
  .option('--json', 'print the addresses and folders as one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  jig up
  OPENAI_API_KEY=… JIG_MODEL=gpt-5-mini jig up
  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 JIG_MODEL=qwen2.5-coder jig up --ui-port 8233

Ctrl-C stops it cleanly. Open runs go on with the next \`jig up\`. Press Ctrl-C again to stop at once.
`,
  )
  .action(async ({ port, uiPort, json, verbose, ...options }: Options) => {
    const stop = onStop();
    const config = await readConfig(options);
    const { dataDirOf } = await import('../worker/config.ts');
    const dataDir = dataDirOf(config, process.env);
    const logFile = verbose ? undefined : join(dataDir, 'worker.log');
    const started = await startEverything({
      config,
      dataDir,
      logFile,
      env: process.env,
      ...(port !== undefined && { port }),
      ...(uiPort !== undefined && { uiPort }),
    });
    const places = placesOf(started, dataDir, logFile);
    if (json) printJson(places);
    else
      print(
        `${paintOut('green', 'Jig is up.')}\n${table(Object.entries(places).map(([name, place]) => [`  ${name}`, place]))}\n\nIn another terminal: jig run python-utcnow --repo PATH --follow`,
      );
    try {
      await Promise.race([started.worker.ended, untilAborted(stop.signal)]);
    } finally {
      note('Stopping …');
      await started.stop();
    }
    note('Stopped. Open runs go on with the next `jig up`.');
  });

export interface StartEverything {
  config: Parameters<typeof import('../worker/up.ts').startUp>[0]['config'];
  dataDir: string;
  logFile: string | undefined;
  env: NodeJS.ProcessEnv;
  port?: number;
  uiPort?: number;
}

/**
 * Starts Temporal, the worker and everything else in this process. @throws JigError `already-up`, and what the parts
 * throw
 */
export async function startEverything({ dataDir, logFile, ...options }: StartEverything): Promise<Up> {
  // One that starts at the same moment waits, and then sees that this one is up.
  return withLock(join(dataDir, 'up.lock'), async () => {
    const running = await findUp(dataDir);
    if (running)
      throw new JigError(
        'already-up',
        `Jig is already up in ${dataDir}, as process ${running.pid} on ${running.host}; its UI is at ${running.uiUrl}`,
        { hint: 'Use it, stop it, or set JIG_DATA_DIR to another folder.' },
      );
    const log = await createLog(logFile);
    const { startUp } = await import('../worker/up.ts');
    return startUp({ ...options, log, onProgress: (line) => note(paintErr('dim', line)) });
  });
}

function placesOf(
  { uiUrl, address, worker }: Up,
  dataDir: string,
  logFile: string | undefined,
): Record<string, string> {
  const { model, sandboxes } = worker.installation.parts;
  return {
    ui: uiUrl,
    temporal: address,
    data: dataDir,
    model:
      model.name === 'none'
        ? 'none: steps that ask a model will fail; set OPENAI_API_KEY or OPENAI_BASE_URL, and JIG_MODEL'
        : `${model.name} (${model.source})`,
    sandbox: sandboxes.name,
    health: worker.healthUrl,
    log: logFile ?? 'standard error',
  };
}
