/** How a run is started: its text pinned, its id made of names that a person can read, one run for a key. */
import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { z } from 'zod';
import { JigError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { RunRequest, runWorkflowType, taskQueues, type PinnedBlueprint } from '../workflows/messages.ts';

export interface StartRun {
  blueprint: { name: string; text: string; file: string; title?: string };
  repository: RunRequest['repository'];
  inputs: Record<string, Json>;
  requester: string;
  /** The same key starts one run of this blueprint on this repository, however often it is asked for, also once it has ended. */
  idempotencyKey?: string;
}

/** @throws JigError `invalid-request`, `key-taken`, `search-attributes-missing` */
export async function start(
  temporal: Client,
  { blueprint, repository, inputs, requester, idempotencyKey }: StartRun,
): Promise<{ runId: string; existed: boolean }> {
  const request = parseRequest({ blueprint: pinBlueprint(blueprint), repository, inputs, requester });
  const suffix = idempotencyKey ? sha256(idempotencyKey).slice(0, 12) : randomBytes(4).toString('hex');
  const runId = `run/${repository.name}/${blueprint.name}/${suffix}`;
  const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });
  try {
    await temporal.workflow.start(runWorkflowType, {
      workflowId: runId,
      taskQueue: taskQueues.runs,
      args: [request],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: idempotencyKey ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE',
      staticSummary: (blueprint.title ?? blueprint.name).slice(0, 120),
      staticDetails: `Blueprint \`${blueprint.name}\` (sha256 \`${request.blueprint.sha256}\`) on \`${repository.name}\`, requested by \`${requester}\``,
      typedSearchAttributes: new TypedSearchAttributes([
        keyword('JigBlueprint', blueprint.name),
        keyword('JigRepository', repository.name),
        keyword('JigRequester', requester),
        keyword('JigPhase', 'starting'),
      ]),
    });
    return { runId, existed: false };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      await checkSame(temporal, runId, request);
      return { runId, existed: true };
    }
    if (isSearchAttributeMissing(error)) {
      throw new JigError(
        'search-attributes-missing',
        'The Temporal namespace lacks search attributes that runs are listed by',
        { hint: 'Register them once: docs/operations.md has the command.', cause: error },
      );
    }
    throw error;
  }
}

/** What a run was started with; of its history only the first event is read. */
export async function findRequest(temporal: Client, runId: string): Promise<RunRequest> {
  const {
    workflowService,
    options: { namespace },
  } = temporal;
  const notFound = () => new WorkflowNotFoundError(`no start of ${runId}`, runId, undefined);
  const { history } = await workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId: runId },
    maximumPageSize: 1,
  });
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const payload = started?.input?.payloads?.[0]?.data;
  if (!payload || started.workflowType?.name !== runWorkflowType) throw notFound();
  return parseRequest(JSON.parse(Buffer.from(payload).toString()));
}

/** Who asks, and where the blueprint's file lay, may differ. @throws JigError `key-taken` */
async function checkSame(temporal: Client, runId: string, wanted: RunRequest): Promise<void> {
  const asked = ({ blueprint, repository, inputs }: RunRequest) => ({ sha256: blueprint.sha256, repository, inputs });
  if (isDeepStrictEqual(asked(await findRequest(temporal, runId)), asked(wanted))) return;
  throw new JigError(
    'key-taken',
    `The key has started ${runId} already, with another text of the blueprint, branch or inputs`,
    { hint: 'Use another key for another request.' },
  );
}

function parseRequest(value: unknown): RunRequest {
  const parsed = RunRequest.safeParse(value);
  if (!parsed.success)
    throw new JigError('invalid-request', `The start request is malformed: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function pinBlueprint({ name, text, file }: StartRun['blueprint']): PinnedBlueprint {
  return { name, text, file, sha256: sha256(text) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Temporal has no code of its own for it; its sentence is the only sign. */
function isSearchAttributeMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    [error, error.cause].some((each) => each instanceof Error && /search attribute/i.test(each.message))
  );
}
