/** Writes all logs, Temporal's included, as JSON lines by pino, each with its run's id. */
import {
  makeTelemetryFilterString,
  Runtime,
  type Logger as TemporalLogger,
  type LogLevel,
  type LogMetadata,
} from '@temporalio/worker';
import type { Logger } from 'pino';

const levels: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** The part of Temporal's metadata that is useful in our logs. */
function fields({ workflowId, activityType, taskQueue, attempt, sdkComponent: _, ...more }: LogMetadata = {}): Record<
  string,
  unknown
> {
  const {
    taskToken: _token,
    namespace: _namespace,
    activityId: _activity,
    workflowRunId: _run,
    workflowType: _type,
    isLocal: _local,
    ...rest
  } = more;
  return {
    ...rest,
    ...(workflowId ? { run: workflowId } : {}),
    ...(activityType ? { activity: activityType, attempt } : {}),
    ...(taskQueue ? { queue: taskQueue } : {}),
  };
}

/** Installs logging. Call it once in a process, before the first worker. */
export function installLogging(log: Logger): void {
  const write = (level: LogLevel, message: string, metadata?: LogMetadata): void =>
    log[levels[level]](fields(metadata), message);
  const logger: TemporalLogger = {
    log: write,
    trace: (message, metadata) => write('TRACE', message, metadata),
    debug: (message, metadata) => write('DEBUG', message, metadata),
    info: (message, metadata) => write('INFO', message, metadata),
    warn: (message, metadata) => write('WARN', message, metadata),
    error: (message, metadata) => write('ERROR', message, metadata),
  };
  Runtime.install({
    logger,
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) } },
  });
}
