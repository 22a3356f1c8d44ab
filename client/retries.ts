/** Finds what a run tries again. Temporal knows that, and the run itself doesn't. */
import type { Client } from '@temporalio/client';
import type proto from '@temporalio/proto';
import type { Retry } from '../workflows/messages.ts';

type Described = Pick<
  proto.temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse,
  'pendingActivities' | 'pendingChildren'
>;
type PendingActivity = proto.temporal.api.workflow.v1.IPendingActivityInfo;

/** The most agents that are looked at. */
const maxChildren = 8;

/** The activities that failed and are tried again, of a run and of its agents. */
export async function findRetries(
  temporal: Client,
  { pendingActivities, pendingChildren }: Described,
): Promise<Retry[]> {
  const agents = await Promise.all(
    (pendingChildren ?? []).slice(0, maxChildren).map(async ({ workflowId }) => {
      // It may have ended meanwhile.
      const child = await temporal.workflow
        .getHandle(workflowId ?? '')
        .describe()
        .catch(() => undefined);
      return child?.raw.pendingActivities ?? [];
    }),
  );
  return [...(pendingActivities ?? []), ...agents.flat()].flatMap(toRetry);
}

function toRetry({ activityType, attempt, lastFailure, nextAttemptScheduleTime: next }: PendingActivity): Retry[] {
  if (!lastFailure) return [];
  return [
    {
      activity: activityType?.name ?? '',
      tries: Math.max((attempt ?? 1) - 1, 1),
      message: lastFailure.message ?? '',
      ...(next && { nextTryAtMs: Number(next.seconds ?? 0) * 1000 + Math.round((next.nanos ?? 0) / 1e6) }),
    },
  ];
}
