/** One place for logs: JSON lines by pino, Temporal's own among them, each with its run's id. */
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

/** Of Temporal's metadata, what a reader of our logs can use. */
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

/** Once a process, before its first worker. */
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
