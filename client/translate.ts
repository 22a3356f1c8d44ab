/** Translates Temporal's errors into Jig's. */
import {
  ApplicationFailure,
  isGrpcServiceError,
  QueryNotRegisteredError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { JigError, parseErrorCode, type ErrorCode } from '../base/errors.ts';

/** The gRPC status codes that matter here. */
export const grpc = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  failedPrecondition: 9,
  unavailable: 14,
} as const;

/** The SDK's mark for a history that doesn't fit the code. */
const misfit = '[TMPRL1100]';

/**
 * Does the work and translates its errors. @throws JigError `run-not-found`, `history-mismatch`,
 * `temporal-unreachable`, the refusals of the run's validators, and `invalid` for an argument that Temporal refuses
 */
export async function translate<Value>(
  { runId, invalid = 'invalid-request' }: { runId?: string; invalid?: ErrorCode },
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw translated(error, runId, invalid);
  }
}

function translated(error: unknown, runId: string | undefined, invalid: ErrorCode): unknown {
  if (error instanceof JigError) return error;
  const said = grpcErrorOf(error);
  if (
    runId !== undefined &&
    (error instanceof WorkflowNotFoundError || isNoRun(error) || said?.code === grpc.notFound)
  ) {
    return new JigError('run-not-found', `There is no run ${runId}`, { hint: '`jig runs` lists them.', cause: error });
  }
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
    return new JigError(parseErrorCode(error.cause.type), error.cause.message, {
      cause: error,
    });
  }
  if (error instanceof QueryNotRegisteredError && error.message.includes(misfit))
    return new JigError('history-mismatch', `A worker's code doesn't fit the history of ${runId}`, { cause: error });
  if (error instanceof QueryNotRegisteredError)
    return new JigError('temporal-unreachable', `The worker could not answer for this run: ${error.message}`, {
      hint: 'Try again. The worker’s log has the details.',
      cause: error,
    });
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return new JigError('temporal-unreachable', 'No worker has taken the message yet; it may still arrive', {
      hint: 'Start `jig up` or `jig worker`, then look with `jig show`.',
      cause: error,
    });
  }
  if (said?.code === grpc.invalidArgument)
    return new JigError(invalid, `Temporal refused the request: ${said.details}`, { cause: error });
  if (said?.code === grpc.unavailable)
    return new JigError('temporal-unreachable', 'Temporal does not answer', {
      hint: 'Start `jig up`, or set TEMPORAL_ADDRESS.',
      cause: error,
    });
  // A server that reaches the call's deadline first resets its stream, which gRPC reports as cancelled.
  if (said?.code === grpc.deadlineExceeded || said?.code === grpc.cancelled || said?.code === grpc.failedPrecondition) {
    return new JigError('temporal-unreachable', 'No worker answers for this run', {
      hint: 'Start `jig up` or `jig worker`.',
      cause: error,
    });
  }
  return error;
}

/**
 * Whether the error means that there is no such run. Temporal has one error for all failed queries. An agent step's
 * workflow doesn't know the run's query, and an empty id is never a run's.
 */
function isNoRun(error: unknown): boolean {
  return (
    error instanceof QueryNotRegisteredError && /did not register a handler|WorkflowId is not set/.test(error.message)
  );
}

/** The gRPC error in an error, since Temporal's own errors wrap it for most calls. */
export function grpcErrorOf(error: unknown): { code: number; details: string } | undefined {
  if (isGrpcServiceError(error)) return error;
  return error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : undefined;
}
