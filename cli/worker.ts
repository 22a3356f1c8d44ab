import { Command } from 'commander';
import { note } from './output.ts';
import { addProcessOptions, createLog, readConfig, type ProcessOptions } from './process-options.ts';
import { onStop, untilAborted } from './signals.ts';

export const worker = addProcessOptions(new Command('worker'))
  .description(
    'Runs one worker for the Temporal that TEMPORAL_* or a profile names. It writes JSON logs to standard error.',
  )
  .addHelpText(
    'after',
    `
Examples:
  TEMPORAL_ADDRESS=temporal:7233 jig worker --config jig.yaml
  TEMPORAL_PROFILE=production jig worker

SIGTERM drains it: running work is finished or handed over within worker.shutdownGraceMs.
`,
  )
  .action(async (options: ProcessOptions) => {
    const stop = onStop();
    const config = await readConfig(options);
    const log = await createLog(undefined);
    const { startWorkerProcess } = await import('../worker/process.ts');
    const started = await startWorkerProcess({ config, env: process.env, log, onProgress: (line) => log.info(line) });
    try {
      await Promise.race([started.ended, untilAborted(stop.signal)]);
    } finally {
      await started.stop();
    }
    note('The worker has drained.');
  });
