/** A run: one blueprint on one repository, from the pinned text to a typed outcome. */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  DeterminismViolationError,
  defineQuery,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { OpenedRun } from '../activities/contract.ts';
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { ErrorCode } from '../base/errors.ts';
import { findDoubles, type RootValues } from '../blueprints/outputs.ts';
import { budgetLimits } from './budget.ts';
import { Absence } from './absence.ts';
import { Clock } from './clock.ts';
import type { RunContext, Scope } from './context.ts';
import { RunControl } from './control.ts';
import { collectEvidence } from './evidence.ts';
import { describeFailure, FailedAt, HistoryFull, RunEnded, StepFailed } from './failures.ts';
import { walk } from './interpreter.ts';
import { keepInPages, keepLarge, loadPages } from './large-values.ts';
import { parseMemory } from './kept-memory.ts';
import { resetForNewWalk, newMemory, type RunMemory } from './memory.ts';
import {
  conversationQuery,
  messageNames,
  RunRequest,
  type Conversation,
  type RunEnd,
  type RunState,
} from './messages.ts';
import { perform } from './perform.ts';
import { prepareSandbox, removeSandboxes, runKey } from './sandbox.ts';
import { undoPending } from './send-back.ts';
import { RunView } from './view.ts';

/** What a run takes along when it goes on as a new execution. */
export interface Continued {
  opened: OpenedRun;
  /** The memory, by reference, since it can grow to any size. */
  pages: ArtifactRef[];
  /**
   * The part of the memory that people may change until the last moment, and what an honest end needs if the rest is
   * lost. Its size has a bound.
   */
  latest: Pick<RunMemory, 'messages' | 'sandboxIds'> & { shown: Omit<RunState, 'steps'> };
}

/**
 * Carries out a run and returns how it ended. `known` gets the run's memory, which is needed to clean up after an
 * unexpected error.
 */
export async function run(
  untrusted: RunRequest,
  continued?: Continued,
  known: { memory?: RunMemory } = {},
): Promise<RunEnd> {
  const parsed = RunRequest.safeParse(untrusted);
  if (!parsed.success) {
    const message = `The request to start the run is not valid: ${parsed.error.message}`;
    throw ApplicationFailure.nonRetryable(message, 'invalid-request');
  }
  const request = parsed.data as RunRequest;
  const memory = newMemory(newState(request));
  if (continued) addLatest(memory, continued.latest);
  known.memory = memory;
  const view = new RunView(memory);
  const scope = new CancellationScope({ cancellable: true });
  // This stands before the first wait, so that every message finds its handler.
  setHandler(defineQuery<RunState>(messageNames.state), () => view.answer);
  setHandler(defineQuery<Conversation | undefined, [string]>(conversationQuery), (path) => view.conversation(path));
  const control = new RunControl(memory, view, () => scope.cancel());
  const around = { request, memory, view, control, clock: new Clock(memory) };
  let { opened } = continued ?? {};
  let end = continued && (await load(memory, view, continued.pages));
  // The run was cancelled during the change to this execution.
  if (control.cancelledBy !== undefined) scope.cancel();
  while (end === undefined) {
    try {
      end = await scope.run(async () => {
        opened ??= await open(request, view);
        return carryOut(makeContext(around, opened));
      });
    } catch (error) {
      // The history doesn't fit the code: another worker may know it.
      if (error instanceof DeterminismViolationError) throw error;
      if (error instanceof HistoryFull && opened) end = await goOn(request, opened, memory);
      else if (!canGoOnAfterLoss(error, memory)) end = endFor(error, memory);
    }
  }
  // Whatever came of the step that was at work, a cancelled run ends as that.
  return finish(scope.consideredCancelled ? cancelledEnd(memory) : end, memory, view, opened);
}

function newState(request: RunRequest): RunState {
  const { blueprint, repository, requester } = request;
  return {
    runId: workflowInfo().workflowId,
    blueprint: { name: blueprint.name, title: blueprint.name, sha256: blueprint.sha256 },
    repository: { forge: repository.forge, name: repository.name, branch: repository.branch ?? '', commit: '' },
    requester,
    model: '',
    phase: 'starting',
    revision: 0,
    startedAtMs: Date.now(),
    steps: [],
    questions: [],
    usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: 0 },
  };
}

function addLatest(memory: RunMemory, { messages, sandboxIds, shown }: Continued['latest']): void {
  Object.assign(memory, { messages, sandboxIds, shown: { ...shown, steps: memory.shown.steps } });
}

/**
 * Loads the memory; what people have said since stays. Returns the run's end if the memory can't be read back, else
 * nothing.
 */
async function load(memory: RunMemory, view: RunView, pages: ArtifactRef[]): Promise<RunEnd | undefined> {
  try {
    const loaded = parseMemory(await loadPages(pages, 'the run’s state so far'));
    // Read only now, since people may have said something meanwhile.
    const { messages, sandboxIds, shown } = memory;
    Object.assign(memory, loaded);
    addLatest(memory, { messages, sandboxIds, shown });
  } catch (error) {
    return lostMemory('could not be read', error, memory);
  }
  view.restored();
  return undefined;
}

function lostMemory(how: string, error: unknown, memory: RunMemory): RunEnd {
  if (isCancellation(error)) return endFor(error, memory);
  return endFor(new StepFailed('memory-lost', `The run’s state ${how}: ${describeFailure(error).message}`), memory);
}

/** Has the worker check the pinned text again and find the commit to start from. */
async function open(request: RunRequest, view: RunView): Promise<OpenedRun> {
  view.setPhase('preparing');
  const opened = await perform('openRun', request, {
    summary: `${request.blueprint.name} on ${request.repository.name}`,
    timeoutMs: 600_000,
  });
  const { name, forge, branch, commit } = opened.repository;
  const model = `${opened.model.name} (${opened.model.source})`;
  Object.assign(view.state, { repository: { forge, name, branch, commit }, model });
  view.state.blueprint.title = opened.blueprint.title ?? opened.blueprint.name;
  return opened;
}

type OpeningRun = Pick<RunContext, 'request' | 'memory' | 'view' | 'control' | 'clock'>;

function makeContext(around: OpeningRun, opened: OpenedRun): RunContext {
  return {
    ...around,
    opened,
    key: runKey(around.memory),
    absence: new Absence(),
    limits: budgetLimits(opened.blueprint.budget, opened.settings.defaults),
    waits: CancellationScope.current(),
    atOnce: 1,
    held: new Set(),
    edits: { last: Promise.resolve() },
    guard: { looking: undefined },
  };
}

/** Makes the run's sandbox, unless it has one, and walks the steps. */
async function carryOut(run: RunContext): Promise<RunEnd> {
  const { memory, opened, view, key } = run;
  // The run lost what is left here.
  await removeSandboxes(opened, memory, memory.sandbox);
  if (!memory.sandbox && !memory.copy)
    memory.sandbox = await prepareSandbox(run, { id: key, commit: opened.repository.commit, key: 'start' });
  view.showWork();
  await run.absence.during(run, async () => {
    await undoPending(run);
    await walk(run, opened.blueprint.steps, startScope(run));
  });
  const { change } = memory;
  const unchecked = change?.unchecked ? ', unchecked: no check decided on it' : '';
  const reason = change
    ? [`Change #${change.number} is open${unchecked}`, ...change.surprises].join('; ')
    : 'Every step is done';
  return { outcome: 'succeeded', reason };
}

function startScope({ request, opened }: RunContext): Scope {
  const { name, branch, commit } = opened.repository;
  const values: RootValues = {
    run: { id: workflowInfo().workflowId, requester: request.requester },
    repository: { name, branch, commit },
    blueprint: { path: opened.blueprintFolder?.path ?? '' },
  };
  return {
    values: { ...values, inputs: opened.inputs, steps: {} },
    cut: new Set(),
    doubles: findDoubles(opened.blueprint),
  };
}

/** How often a run comes back on a copy after it lost its sandbox. */
const maxLosses = 3;

/**
 * Whether the run goes on after it lost its sandbox. If nothing has changed since the last copy, it goes on with that
 * copy. Otherwise the work is gone with the sandbox, and the walk starts again from the top: once, and only before a
 * change is open.
 */
function canGoOnAfterLoss(error: unknown, memory: RunMemory): boolean {
  const { counts, copy, change } = memory;
  if (describeFailure(error).code !== 'sandbox-lost') return false;
  if (copy && counts.losses < maxLosses) {
    counts.losses += 1;
    delete memory.sandbox;
    return true;
  }
  if (counts.walks > 0 || change) return false;
  counts.walks += 1;
  resetForNewWalk(memory);
  return true;
}

function cancelledEnd({ messages: { cancelledBy } }: RunMemory): RunEnd {
  return { outcome: 'cancelled', code: 'cancelled', reason: cancelledBy ? `Cancelled by ${cancelledBy}` : 'Cancelled' };
}

function endFor(error: unknown, memory: RunMemory): RunEnd {
  if (error instanceof RunEnded) return error.end;
  if (isCancellation(error)) return cancelledEnd(memory);
  const { code, message } = describeFailure(error);
  const step = error instanceof FailedAt ? error.path : undefined;
  return { outcome: needsHuman.has(code) ? 'needs-human' : 'failed', code, reason: message, ...(step && { step }) };
}

/** Failures that a person resolves by looking at the repository or by answering, not by looking at Jig. */
const needsHuman: ReadonlySet<ErrorCode> = new Set(['foreign-commits', 'base-moved', 'ci-failed', 'ci-timeout']);

/** Goes on as a new execution. Returns the run's end only if the memory can't be kept. */
async function goOn(request: RunRequest, opened: OpenedRun, memory: RunMemory): Promise<RunEnd> {
  let pages: ArtifactRef[];
  try {
    pages = await keepInPages(memory, 'the run’s state so far');
  } catch (error) {
    return lostMemory('could not be saved', error, memory);
  }
  await condition(allHandlersFinished);
  // Read now, with no wait before the new execution, so that everything people said so far goes along.
  const {
    messages,
    sandboxIds,
    shown: { steps: _, ...shown },
  } = memory;
  const latest = { messages, sandboxIds, shown };
  return continueAsNew<typeof run>(withReference(request, opened), { opened, pages, latest });
}

/** The request with files by reference: the store has had them since the run opened, so they need not travel again. */
function withReference(request: RunRequest, { blueprintFolder }: OpenedRun): RunRequest {
  const { files } = blueprintFolder ?? {};
  return files ? { ...request, blueprint: { ...request.blueprint, files } } : request;
}

/** Cleans up and ends, whatever happened. */
async function finish(end: RunEnd, memory: RunMemory, view: RunView, opened: OpenedRun | undefined): Promise<RunEnd> {
  await CancellationScope.nonCancellable(async () => {
    view.setPhase('cleaning-up');
    if (opened) await removeSandboxes(opened, memory);
    view.failRunning(end.reason);
    try {
      view.state.evidence = await keepLarge(collectEvidence(memory, end), 'the evidence');
    } catch {
      // Without evidence in the store, the run still has its state in Temporal.
    }
    // A follower stops looking once there is an end, so the evidence is kept first.
    view.end(end);
    await condition(allHandlersFinished);
  });
  if (end.outcome === 'failed')
    throw ApplicationFailure.create({
      message: end.reason,
      type: end.code ?? 'failed',
      nonRetryable: true,
      details: [end],
    });
  return end;
}
