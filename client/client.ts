/**
 * The typed client: start, list, describe, follow, and everything that a person can tell a run.
 * Each message is an update that the run answers at once; a refusal is a JigError with a stable code.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  ApplicationFailure, Client, Connection, isGrpcServiceError, WorkflowExecutionAlreadyStartedError, WorkflowFailedError, WorkflowNotFoundError, WorkflowUpdateFailedError, type WorkflowExecutionInfo,
} from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { JigError, isErrorCode } from '../blueprints/errors.ts';
import type { Json } from '../blueprints/json.ts';
import { messageNames, runWorkflowType, taskQueues, type Decision, type PinnedBlueprint, type RunEnd, type RunRequest, type RunState, type SendBack, type Steer } from '../workflows/messages.ts';
import { findUp } from './up-record.ts';

export interface StartRun {
  blueprint: { name: string; text: string; file: string; title?: string };
  repository: RunRequest['repository'];
  inputs: Record<string, Json>;
  requester: string;
  /** The same key starts one run, however often it is asked for. */
  idempotencyKey?: string;
}

export interface RunSummary {
  runId: string;
  blueprint: string;
  repository: string;
  requester: string;
  phase: string;
  outcome: string | undefined;
  needsHuman: boolean;
  costUsd: number;
  tokens: number;
  startedAt: Date;
  endedAt: Date | undefined;
}

export interface JigClient {
  readonly temporal: Client;
  /** Where a person looks at a run, if the Temporal UI's address is known. */
  uiUrl(runId: string): string | undefined;
  start(request: StartRun): Promise<{ runId: string; existed: boolean }>;
  /** Newest first. `query` is Temporal's list filter, added to Jig's own. */
  list(options?: { query?: string; limit?: number }): Promise<RunSummary[]>;
  /** @throws JigError `run-not-found` */
  describe(runId: string): Promise<RunState>;
  /** Yields the state whenever it has changed, to the run's end. */
  follow(runId: string, options?: { signal?: AbortSignal; pollMs?: number }): AsyncIterable<RunState>;
  /** The run's end, waited for. */
  result(runId: string): Promise<RunEnd>;
  /** What the run was started with, to start the same again. */
  request(runId: string): Promise<RunRequest>;
  pause(runId: string, message: Decision): Promise<void>;
  resume(runId: string, message: Decision): Promise<void>;
  cancel(runId: string, message: Decision): Promise<void>;
  approve(runId: string, message: Decision): Promise<void>;
  reject(runId: string, message: Decision): Promise<void>;
  sendBack(runId: string, message: SendBack): Promise<void>;
  steer(runId: string, message: Steer): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects to the Temporal that `TEMPORAL_*` or a profile names; else to a running `jig up` of this data folder.
 * @throws JigError `temporal-unreachable`
 */
export async function connectClient({ env, dataDir }: { env: NodeJS.ProcessEnv; dataDir: string }): Promise<JigClient> {
  const profile = loadClientConnectConfig();
  const up = env['TEMPORAL_ADDRESS'] ?? env['TEMPORAL_PROFILE'] ? undefined : await findUp(dataDir);
  const address = up?.address ?? profile.connectionOptions?.address ?? 'localhost:7233';
  try {
    const connection = await Connection.connect({ ...(up ? {} : profile.connectionOptions), address, connectTimeout: 5000 });
    const namespace = up ? 'default' : (profile.namespace ?? 'default');
    return createClient(new Client({ connection, namespace }), up?.uiUrl ?? env['JIG_TEMPORAL_UI']);
  } catch (error) {
    throw new JigError('temporal-unreachable', `No Temporal answers at ${address}`, { hint: 'Start `jig up`, or set TEMPORAL_ADDRESS.', cause: error });
  }
}

/** The same over a connection that is there already. */
export function createClient(temporal: Client, uiUrl?: string): JigClient {
  const handle = (runId: string) => temporal.workflow.getHandle(runId);
  const tell = async (runId: string, name: string, message: unknown): Promise<void> => {
    await translate(runId, async () => {
      try {
        await handle(runId).executeUpdate(name, { args: [message] });
      } catch (error) {
        // Temporal says "not found" of a closed run too; what isn't there at all throws again here.
        if (error instanceof WorkflowNotFoundError && (await handle(runId).describe())) throw new JigError('run-ended', `The run ${runId} has ended`);
        throw error;
      }
    });
  };
  return {
    temporal,
    uiUrl: (runId) => (uiUrl ? `${uiUrl}/namespaces/${temporal.options.namespace}/workflows/${encodeURIComponent(runId)}` : undefined),
    start: (request) => start(temporal, request),
    list: (options) => list(temporal, options),
    describe: (runId) => translate(runId, () => handle(runId).query<RunState>(messageNames.state)),
    follow: (runId, options) => follow(() => translate(runId, () => handle(runId).query<RunState>(messageNames.state)), options),
    result: (runId) => translate(runId, () => result(temporal, runId)),
    request: (runId) => translate(runId, () => findRequest(temporal, runId)),
    pause: (runId, message) => tell(runId, messageNames.pause, message),
    resume: (runId, message) => tell(runId, messageNames.resume, message),
    cancel: (runId, message) => tell(runId, messageNames.cancel, message),
    approve: (runId, message) => tell(runId, messageNames.approve, message),
    reject: (runId, message) => tell(runId, messageNames.reject, message),
    sendBack: (runId, message) => tell(runId, messageNames.sendBack, message),
    steer: (runId, message) => tell(runId, messageNames.steer, message),
    close: () => temporal.connection.close(),
  };
}

function pinBlueprint({ name, text, file }: StartRun['blueprint']): PinnedBlueprint {
  return { name, text, file, sha256: createHash('sha256').update(text).digest('hex') };
}

async function start(temporal: Client, { blueprint, repository, inputs, requester, idempotencyKey }: StartRun): Promise<{ runId: string; existed: boolean }> {
  const request: RunRequest = { blueprint: pinBlueprint(blueprint), repository, inputs, requester };
  const suffix = idempotencyKey ? createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 12) : randomBytes(4).toString('hex');
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
      typedSearchAttributes: new TypedSearchAttributes([keyword('JigBlueprint', blueprint.name), keyword('JigRepository', repository.name), keyword('JigRequester', requester), keyword('JigPhase', 'starting')]),
    });
    return { runId, existed: false };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { runId, existed: true };
    if (isSearchAttributeMissing(error)) {
      throw new JigError('search-attributes-missing', 'The Temporal namespace lacks search attributes that runs are listed by', { hint: 'Register them once: docs/operations.md has the command.', cause: error });
    }
    throw error;
  }
}

/** Temporal has no code of its own for it; its sentence is the only sign. */
function isSearchAttributeMissing(error: unknown): boolean {
  return error instanceof Error && [error, error.cause].some((each) => each instanceof Error && /search attribute/i.test(each.message));
}

async function list(temporal: Client, { query, limit = 50 }: { query?: string; limit?: number } = {}): Promise<RunSummary[]> {
  const filter = `WorkflowType = '${runWorkflowType}'${query ? ` AND (${query})` : ''}`;
  const found: RunSummary[] = [];
  for await (const info of temporal.workflow.list({ query: filter })) {
    // A run that went on as a new execution is listed by its newest.
    if (info.status.name === 'CONTINUED_AS_NEW') continue;
    found.push(summarize(info));
    if (found.length >= limit) break;
  }
  return found;
}

function summarize(info: WorkflowExecutionInfo): RunSummary {
  const get = <T extends 'KEYWORD' | 'BOOL' | 'DOUBLE' | 'INT'>(name: string, type: T) => info.typedSearchAttributes.get(defineSearchAttributeKey(name, type));
  const ended = info.status.name !== 'RUNNING';
  return {
    runId: info.workflowId,
    blueprint: get('JigBlueprint', 'KEYWORD') ?? '',
    repository: get('JigRepository', 'KEYWORD') ?? '',
    requester: get('JigRequester', 'KEYWORD') ?? '',
    phase: ended ? 'ended' : (get('JigPhase', 'KEYWORD') ?? ''),
    outcome: get('JigOutcome', 'KEYWORD') ?? (ended ? info.status.name.toLowerCase() : undefined),
    needsHuman: get('JigNeedsHuman', 'BOOL') ?? false,
    costUsd: get('JigCostUsd', 'DOUBLE') ?? 0,
    tokens: get('JigTokens', 'INT') ?? 0,
    startedAt: info.startTime,
    endedAt: info.closeTime,
  };
}

async function* follow(describe: () => Promise<RunState>, { signal, pollMs = 200 }: { signal?: AbortSignal; pollMs?: number } = {}): AsyncIterable<RunState> {
  for (let seen = -1; !signal?.aborted; ) {
    const state = await describe();
    if (state.revision !== seen) yield state;
    seen = state.revision;
    if (state.phase === 'ended') return;
    await wait(pollMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

async function result(temporal: Client, runId: string): Promise<RunEnd> {
  try {
    const end: RunEnd = await temporal.workflow.getHandle(runId).result();
    return end;
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) {
      const [end] = error.cause.details ?? [];
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the run's own workflow put it there
      if (end) return end as RunEnd;
      return { outcome: 'failed', code: error.cause.type ?? 'internal-error', reason: error.cause.message };
    }
    if (error instanceof WorkflowFailedError) return { outcome: 'cancelled', code: 'cancelled', reason: error.cause?.message ?? error.message };
    throw error;
  }
}

async function findRequest(temporal: Client, runId: string): Promise<RunRequest> {
  const { events } = await temporal.workflow.getHandle(runId).fetchHistory();
  const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  if (!payload) throw new JigError('run-not-found', `The history of ${runId} has no start`);
  const request: RunRequest = JSON.parse(Buffer.from(payload).toString());
  return request;
}

/** What Temporal says, in Jig's words. */
async function translate<Value>(runId: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new JigError('run-not-found', `There is no run ${runId}`, { hint: '`jig runs` lists them.', cause: error });
    if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
      throw new JigError(isErrorCode(error.cause.type) ? error.cause.type : 'internal-error', error.cause.message, { cause: error });
    }
    if (isGrpcServiceError(error) && /no poller|unavailable|deadline/i.test(error.message)) {
      throw new JigError('temporal-unreachable', 'No worker answers for this run', { hint: 'Start `jig up` or `jig worker`.', cause: error });
    }
    throw error;
  }
}
