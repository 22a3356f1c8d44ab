/**
 * The typed client: start, list, describe and follow runs, and send them messages.
 * Each message is an update that the run answers immediately. A refusal is a JigError with a stable code.
 */
import { setTimeout as wait } from 'node:timers/promises';
import {
  ApplicationFailure,
  CancelledFailure,
  Client,
  Connection,
  TerminatedFailure,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { JigError, parseErrorCode } from '../base/errors.ts';
import { outcomes, type Outcome } from '../blueprints/schema.ts';
import {
  conversationQuery,
  messageNames,
  runWorkflowType,
  type Conversation,
  type Decision,
  type RunEnd,
  type RunRequest,
  type RunState,
  type SendBack,
  type Steer,
} from '../workflows/messages.ts';
import { explainNoAnswer, findNoAnswerReason, isNoAnswer } from './no-answer.ts';
import { findRetries } from './retries.ts';
import { findRequest, start, type KeepFiles, type StartRun } from './start-run.ts';
import { translate } from './translate.ts';
import { findUp } from './up-record.ts';

/** How many runs are sorted here. Temporal lists open runs before closed ones, and offers no other order. */
const sortedRuns = 1000;

/** A run in a list, from Temporal's search attributes. */
export interface RunSummary {
  runId: string;
  blueprint: string;
  repository: string;
  requester: string;
  phase: string;
  /** `unchecked`: it succeeded with a change that no check decided on. */
  outcome: Outcome | 'unchecked' | undefined;
  needsHuman: boolean;
  costUsd: number;
  tokens: number;
  startedAt: Date;
  endedAt: Date | undefined;
}

interface FollowOptions {
  signal?: AbortSignal;
  pollMs?: number;
  patienceMs?: number;
}

/**
 * The client. Every method throws a JigError `temporal-unreachable` if no Temporal or no worker answers. Methods with a
 * run's id throw `run-not-found`, and `version-without-worker`, `no-current-version` or `history-mismatch` if that is
 * the reason.
 */
export interface JigClient {
  readonly temporal: Client;
  /** The address of a run's page, if the Temporal UI's address is known. */
  uiUrl(runId: string): string | undefined;
  /** @throws JigError `invalid-request`, `key-taken`, `search-attributes-missing`, `blueprint-folder-too-large` */
  start(request: StartRun): Promise<{ runId: string; existed: boolean }>;
  /** Newest first. `query` is Temporal's list filter, added to Jig's own. @throws JigError `filter-invalid` */
  list(options?: { query?: string; limit?: number }): Promise<RunSummary[]>;
  describe(runId: string): Promise<RunState>;
  /**
   * A conversation that goes on: of an agent, by the id of its workflow; of a prompt, by that of the run and the step's
   * path. Undefined if there is none, or if no worker of its version answers.
   */
  conversation(workflowId: string, path: string): Promise<Conversation | undefined>;
  /**
   * Yields the state whenever it has changed, until the run ends or the signal aborts. After a first answer, it
   * tolerates `patienceMs` without answers (3 minutes if missing).
   */
  follow(runId: string, options?: FollowOptions): AsyncIterable<RunState>;
  /** Waits for the run's end, also if it was ended from outside. */
  result(runId: string): Promise<RunEnd>;
  /** Why no worker works on the run, if its version explains that; also for a run that has just started. */
  waitsFor(runId: string): Promise<JigError | undefined>;
  /** The request that the run was started with, to start the same again. */
  request(runId: string): Promise<RunRequest>;
  // Messages: JigError `run-ended`, `invalid-message`, and what the run refuses (docs/how-to/take-part-in-a-run.md).
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
 * Limits gRPC's pauses between connection attempts. They grow to two minutes, while Temporal's client repeats a call
 * for only about half a minute. Without this limit, a follower sees errors long after the server is back.
 */
export const reconnecting = { 'grpc.max_reconnect_backoff_ms': 2000 };

/**
 * Connects to the Temporal of `TEMPORAL_*` or a profile, else to a running `jig up` of this data folder, whose store
 * `keepFiles` writes to.
 * @throws JigError `temporal-unreachable`, `config-invalid`
 */
export async function connectClient({
  env,
  dataDir,
  keepFiles,
}: {
  env: NodeJS.ProcessEnv;
  dataDir: string;
  keepFiles?: KeepFiles;
}): Promise<JigClient> {
  const profile = readProfile();
  const up = (env['TEMPORAL_ADDRESS'] ?? env['TEMPORAL_PROFILE']) ? undefined : await findUp(dataDir);
  const address = up?.address ?? profile.connectionOptions?.address ?? 'localhost:7233';
  try {
    const connection = await Connection.connect({
      ...(up ? {} : profile.connectionOptions),
      address,
      connectTimeout: 5000,
      channelArgs: reconnecting,
    });
    const namespace = up ? 'default' : (profile.namespace ?? 'default');
    return createClient(
      new Client({ connection, namespace }),
      up?.uiUrl ?? env['JIG_TEMPORAL_UI'],
      up && keepFiles ? { keepFiles } : {},
    );
  } catch (error) {
    throw new JigError('temporal-unreachable', `Temporal does not answer at ${address}`, {
      hint: 'Start `jig up`, or set TEMPORAL_ADDRESS.',
      cause: error,
    });
  }
}

/** Temporal's own configuration. @throws JigError `config-invalid` */
function readProfile(): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new JigError('config-invalid', `Temporal's configuration can't be read: ${why}`, {
      hint: 'Correct TEMPORAL_PROFILE and the other TEMPORAL_* variables, or the file that TEMPORAL_CONFIG_FILE names.',
      cause: error,
    });
  }
}

/**
 * Makes a client over an existing connection. `answerTimeoutMs` is how long a worker has to answer a question or to
 * take a message. With `keepFiles`, a blueprint's files go to runs by reference; otherwise they go inside the request.
 */
export function createClient(
  temporal: Client,
  uiUrl?: string,
  { answerTimeoutMs = 30_000, keepFiles }: { answerTimeoutMs?: number; keepFiles?: KeepFiles } = {},
): JigClient {
  const handle = (runId: string) => temporal.workflow.getHandle(runId);
  const inTime = <Value>(work: () => Promise<Value>): Promise<Value> =>
    temporal.withDeadline(Date.now() + answerTimeoutMs, work);
  const describe = (runId: string, signal?: AbortSignal) =>
    explainNoAnswer(temporal, {
      runId,
      signal,
      work: () => translate({ runId }, () => inTime(() => describeRun(temporal, runId))),
    });
  const tell = (runId: string, name: string, message: unknown): Promise<void> => {
    const work = async (): Promise<void> => {
      try {
        await inTime(() => handle(runId).executeUpdate(name, { args: [message] }));
      } catch (error) {
        // Temporal also says "not found" for a closed run. For a run that doesn't exist, this throws again.
        if (error instanceof WorkflowNotFoundError && (await handle(runId).describe()))
          throw new JigError('run-ended', `The run ${runId} has ended`);
        throw error;
      }
    };
    return explainNoAnswer(temporal, {
      runId,
      work: () => translate({ runId }, work),
      besides: '; the message may still arrive',
    });
  };
  return {
    temporal,
    uiUrl: (runId) =>
      uiUrl ? `${uiUrl}/namespaces/${temporal.options.namespace}/workflows/${encodeURIComponent(runId)}` : undefined,
    start: (request) => translate({}, () => start(temporal, request, keepFiles)),
    list: (options) => translate({ invalid: 'filter-invalid' }, () => list(temporal, options)),
    describe: (runId) => describe(runId),
    conversation: (workflowId, path) =>
      inTime(() => handle(workflowId).query<Conversation | null, [string]>(conversationQuery, path)).then(
        (known) => known ?? undefined,
        () => undefined,
      ),
    follow: (runId, options = {}) => follow(() => describe(runId, options.signal), options),
    result: (runId) => translate({ runId }, async () => (await findEnd(temporal, runId)).end),
    waitsFor: (runId) => translate({ runId }, () => findNoAnswerReason(temporal, runId, { certain: true })),
    request: (runId) => translate({ runId }, () => findRequest(temporal, runId)),
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

async function list(
  temporal: Client,
  { query, limit = 50 }: { query?: string; limit?: number } = {},
): Promise<RunSummary[]> {
  const filter = `WorkflowType = '${runWorkflowType}'${query ? ` AND (${query})` : ''}`;
  const found: RunSummary[] = [];
  for await (const info of temporal.workflow.list({ query: filter, pageSize: sortedRuns })) {
    // Such a run went on as a new execution, which is listed itself.
    if (info.status.name === 'CONTINUED_AS_NEW') continue;
    found.push(summarize(info));
    if (found.length >= Math.max(limit, sortedRuns)) break;
  }
  return found.toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime()).slice(0, limit);
}

function summarize(info: WorkflowExecutionInfo): RunSummary {
  const get = <T extends 'KEYWORD' | 'BOOL' | 'DOUBLE' | 'INT'>(name: string, type: T) =>
    info.typedSearchAttributes.get(defineSearchAttributeKey(name, type));
  const { name: status } = info.status;
  const ended = status !== 'RUNNING';
  const known = [...outcomes, 'unchecked' as const].find((outcome) => outcome === get('JigOutcome', 'KEYWORD'));
  // A run that was ended from outside had no time to record its outcome.
  const outcome =
    known ?? (ended ? (status === 'TERMINATED' || status === 'CANCELLED' ? 'cancelled' : 'failed') : undefined);
  return {
    runId: info.workflowId,
    blueprint: get('JigBlueprint', 'KEYWORD') ?? '',
    repository: get('JigRepository', 'KEYWORD') ?? '',
    requester: get('JigRequester', 'KEYWORD') ?? '',
    phase: ended ? 'ended' : (get('JigPhase', 'KEYWORD') ?? ''),
    outcome,
    needsHuman: ended ? outcome === 'needs-human' : (get('JigNeedsHuman', 'BOOL') ?? false),
    costUsd: get('JigCostUsd', 'DOUBLE') ?? 0,
    tokens: get('JigTokens', 'INT') ?? 0,
    startedAt: info.startTime,
    endedAt: info.closeTime,
  };
}

/**
 * The run's own state. If the run was ended from outside, such as by a termination, its end is the one that Temporal
 * knows.
 */
async function describeRun(temporal: Client, runId: string): Promise<RunState> {
  const handle = temporal.workflow.getHandle(runId);
  const state = await handle.query<RunState>(messageNames.state);
  if (state.end) return state;
  const { status, closeTime, raw } = await handle.describe();
  if (status.name === 'RUNNING') {
    const retries = await findRetries(temporal, raw);
    return { ...state, ...(retries.length > 0 && { retries }) };
  }
  const last = await handle.query<RunState>(messageNames.state);
  const { end, evidence } = await findEnd(temporal, runId);
  return {
    ...last,
    ...(evidence && { evidence }),
    questions: [],
    phase: 'ended',
    end: last.end ?? end,
    endedAtMs: last.endedAtMs ?? closeTime?.getTime() ?? Date.now(),
  };
}

async function* follow(
  describe: () => Promise<RunState>,
  { signal, pollMs = 200, patienceMs = 180_000 }: FollowOptions,
): AsyncIterable<RunState> {
  const aborted = () => signal?.aborted === true;
  let answeredAtMs: number | undefined;
  for (let seen = ''; !aborted(); await wait(pollMs, undefined, signal ? { signal } : {}).catch(() => undefined)) {
    const state = await describe().catch((error: unknown) => {
      const isPatient = isNoAnswer(error) && answeredAtMs !== undefined && Date.now() - answeredAtMs < patienceMs;
      if (!isPatient && !aborted()) throw error;
    });
    if (!state) continue;
    answeredAtMs = Date.now();
    const now = JSON.stringify([state.revision, state.retries]);
    if (now !== seen || state.phase === 'ended') yield state;
    if (state.phase === 'ended') return;
    seen = now;
  }
}

/** How the run ended, and its evidence if the run had no time to show that. */
async function findEnd(
  temporal: Client,
  runId: string,
): Promise<Required<Pick<RunState, 'end'>> & Pick<RunState, 'evidence'>> {
  try {
    return { end: await temporal.workflow.getHandle(runId).result() };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause, message } = error;
    if (cause instanceof TerminatedFailure || cause instanceof CancelledFailure)
      return { end: { outcome: 'cancelled', code: 'cancelled', reason: `Ended from outside Jig: ${cause.message}` } };
    if (!(cause instanceof ApplicationFailure))
      return { end: { outcome: 'failed', code: 'internal-error', reason: cause?.message ?? message } };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the run's own workflow put it there
    const [end, evidence] = (cause.details ?? []) as [RunEnd?, RunState['evidence']?];
    return {
      end: end ?? { outcome: 'failed', code: parseErrorCode(cause.type), reason: cause.message },
      ...(evidence && { evidence }),
    };
  }
}
