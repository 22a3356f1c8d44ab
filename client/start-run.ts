/** Starts a run: pins its text, makes an id of names that a person can read, and starts one run for each key. */
import { createHash, randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { z } from 'zod';
import { defaults } from '../base/defaults.ts';
import { JigError } from '../base/errors.ts';
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { Json } from '../base/json.ts';
import type { BlueprintFile } from '../blueprints/folder.ts';
import { hashBlueprint } from '../blueprints/pin.ts';
import { RunRequest, runWorkflowType, taskQueues, type PinnedBlueprint } from '../workflows/messages.ts';

/** A blueprint as it was read from a disk. */
export interface BlueprintSource {
  name: string;
  /** Of `blueprint.yaml`. */
  text: string;
  file: string;
  /** The other files, as `readBlueprintFolder` gives them. A single file has none. */
  files?: BlueprintFile[];
}

/** Puts large data into the worker's store, if the client can reach it. */
export type KeepFiles = (bytes: Uint8Array) => Promise<ArtifactRef>;

/** What a run is started with. */
export interface StartRun {
  /** Read from a disk, or already pinned, as another run was started with it. */
  blueprint: (BlueprintSource | PinnedBlueprint) & { title?: string };
  repository: RunRequest['repository'];
  inputs: Record<string, Json>;
  requester: string;
  /**
   * A key starts only one run of this blueprint on this repository, however often it is used, even after that run has
   * ended.
   */
  idempotencyKey?: string;
}

/** @throws JigError `invalid-request`, `key-taken`, `search-attributes-missing`, `blueprint-folder-too-large` */
export async function start(
  temporal: Client,
  { blueprint, repository, inputs, requester, idempotencyKey }: StartRun,
  keepFiles?: KeepFiles,
): Promise<{ runId: string; existed: boolean }> {
  const { title, ...source } = blueprint;
  const pinned = 'sha256' in source ? source : await pinBlueprint(source, keepFiles);
  const request = parseRequest({ blueprint: pinned, repository, inputs, requester });
  const suffix = idempotencyKey ? sha256(idempotencyKey).slice(0, 12) : randomBytes(4).toString('hex');
  const runId = `run/${repository.forge}:${repository.name}/${blueprint.name}/${suffix}`;
  const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });
  try {
    await temporal.workflow.start(runWorkflowType, {
      workflowId: runId,
      taskQueue: taskQueues.runs,
      args: [request],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: idempotencyKey ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE',
      staticSummary: (title ?? blueprint.name).slice(0, 120),
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
      throw new JigError('search-attributes-missing', 'The Temporal namespace lacks search attributes that runs need', {
        hint: 'Register them once: docs/how-to/run-a-worker.md has the commands.',
        cause: error,
      });
    }
    throw error;
  }
}

/** The request that a run was started with. Only the first event of its history is read. */
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

/**
 * Checks that a run with the same key has the same request. The sender and the blueprint's file may differ. @throws
 * JigError `key-taken`
 */
async function checkSame(temporal: Client, runId: string, wanted: RunRequest): Promise<void> {
  const asked = ({ blueprint, repository, inputs }: RunRequest) => ({ sha256: blueprint.sha256, repository, inputs });
  if (isDeepStrictEqual(asked(await findRequest(temporal, runId)), asked(wanted))) return;
  throw new JigError('key-taken', `This key has already started ${runId}, with another blueprint, branch or inputs`, {
    hint: 'Give each request a key of its own.',
  });
}

function parseRequest(value: unknown): RunRequest {
  const parsed = RunRequest.safeParse(value);
  if (!parsed.success)
    throw new JigError('invalid-request', `The start request is not valid: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

async function pinBlueprint(
  { name, text, file, files = [] }: BlueprintSource,
  keepFiles: KeepFiles | undefined,
): Promise<PinnedBlueprint> {
  const sent = files.length > 0 && { files: await sendFiles(files, keepFiles) };
  return { name, text, file, sha256: hashBlueprint(text, files), ...sent };
}

/**
 * The files for the request: by reference if there is a store for them, else by value. @throws JigError
 * `blueprint-folder-too-large`
 */
async function sendFiles(files: BlueprintFile[], keepFiles: KeepFiles | undefined): Promise<PinnedBlueprint['files']> {
  const bytes = Buffer.from(JSON.stringify(files));
  if (keepFiles) return await keepFiles(bytes);
  const { maxSentBytes } = defaults.blueprint;
  if (bytes.length <= maxSentBytes) return files;
  throw new JigError(
    'blueprint-folder-too-large',
    `The files beside the blueprint take ${bytes.length} bytes in the request; a worker that keeps its data on another machine gets at most ${maxSentBytes}`,
    {
      hint: 'Start the run on the machine where `jig up` runs, or move what the programs do not need out of the folder.',
    },
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether a search attribute is missing. Temporal has no code for that, so its sentence is the only sign. */
function isSearchAttributeMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    [error, error.cause].some((each) => each instanceof Error && /search attribute/i.test(each.message))
  );
}
