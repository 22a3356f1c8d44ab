/** A run: one blueprint on one repository, from the pinned text to a typed end. */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { nothingSpent } from '../agent/budget.ts';
import type { OpenedRun } from '../activities/contract.ts';
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { doublePaths } from '../blueprints/outputs.ts';
import { budgetLimits } from './budget.ts';
import type { Carried, RunContext, Scope } from './context.ts';
import { RunControl } from './control.ts';
import { collectEvidence } from './evidence.ts';
import { describeFailure, HistoryFull, RunEnded } from './failures.ts';
import { FailedAt, walk } from './interpreter.ts';
import { Journal } from './journal.ts';
import { messageNames, RunRequest, type RunEnd, type RunState } from './messages.ts';
import { perform } from './perform.ts';
import { prepareSandbox, removeSandboxes, runKey } from './sandbox.ts';
import { RunView } from './view.ts';

/** What a run takes along when it goes on as a new execution. */
interface Continued {
  opened: OpenedRun;
  generation: number;
  sandbox?: RunContext['sandbox'];
  /** Journal, carried and state, by reference: they can grow. */
  kept: ArtifactRef;
}

interface Kept {
  journal: ReturnType<Journal['toJson']>;
  carried: Carried;
  state: RunState;
}

export async function run(untrusted: RunRequest, continued?: Continued): Promise<RunEnd> {
  const parsed = RunRequest.safeParse(untrusted);
  if (!parsed.success)
    throw ApplicationFailure.nonRetryable(`The start request is malformed: ${parsed.error.message}`, 'invalid-request');
  const request = parsed.data as RunRequest;
  const view = new RunView(newState(request));
  // Before anything is waited for, so that every message finds its handler.
  setHandler(defineQuery<RunState>(messageNames.state), () => view.state);
  const scope = new CancellationScope({ cancellable: true });
  const control = new RunControl(view, scope);
  const loaded = continued && (await perform('loadValue', continued.kept, { summary: 'the journal so far' }));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the execution before this one wrote it
  const kept = loaded as unknown as Kept | undefined;
  if (kept) view.restore(kept.state);

  let end: RunEnd;
  let context: RunContext | undefined;
  let generation = continued?.generation ?? 0;
  let opened = continued?.opened;
  for (;;) {
    try {
      end = await scope.run(async () => {
        opened ??= await open(request, view);
        const resumed = generation === continued?.generation ? kept : undefined;
        const spent = context?.carried ?? kept?.carried;
        context = makeContext(
          request,
          opened,
          generation,
          view,
          control,
          resumed?.journal,
          resumed?.carried ?? startCarried(spent),
        );
        context.sandbox =
          resumed && continued?.sandbox
            ? continued.sandbox
            : await prepareSandbox(context, { id: context.key, commit: opened.repository.commit, key: 'start' });
        view.setPhase('running');
        await walk(context, opened.blueprint.steps, startScope(request, opened));
        return ended(context);
      });
    } catch (error) {
      if (error instanceof HistoryFull && context) await goOn(request, context, generation);
      // A lost sandbox takes the work with it: once, and only before a change is open, the walk starts again from a clean checkout.
      const { code } = describeFailure(error);
      if (code === 'sandbox-lost' && generation === 0 && !context?.carried.change) {
        generation += 1;
        continue;
      }
      end = endFor(error, control);
    }
    break;
  }
  return finish(end, view, context, opened, generation);
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
    usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: 0 },
  };
}

/** The worker checks the pinned text once more, and finds the repository's state to start from. */
async function open(request: RunRequest, view: RunView): Promise<OpenedRun> {
  view.setPhase('preparing');
  const opened = await perform('openRun', request, {
    summary: `${request.blueprint.name} on ${request.repository.name}`,
    timeoutMs: 600_000,
  });
  const { name, forge, branch, commit } = opened.repository;
  Object.assign(view.state, {
    repository: { forge, name, branch, commit },
    model: `${opened.model.name} (${opened.model.source})`,
  });
  view.state.blueprint.title = opened.blueprint.title ?? opened.blueprint.name;
  return opened;
}

/** A walk from the top starts with nothing but what was spent before it. */
function startCarried(before?: Pick<Carried, 'spent' | 'waitedMs'>): Carried {
  const { spent = nothingSpent, waitedMs = 0 } = before ?? {};
  return {
    baseline: {},
    gates: [],
    checks: [],
    agents: {},
    feedback: {},
    cleanCheckouts: 0,
    spent,
    waitedMs,
    seenAtMs: Date.now(),
  };
}

function makeContext(
  request: RunRequest,
  opened: OpenedRun,
  generation: number,
  view: RunView,
  control: RunControl,
  journal: Kept['journal'] | undefined,
  carried: Carried,
): RunContext {
  return {
    request,
    opened,
    view,
    control,
    carried,
    key: runKey(generation),
    limits: budgetLimits(opened.blueprint.budget),
    atOnce: 1,
    held: new Set(),
    edits: new Map(),
    journal: new Journal(journal),
    sandbox: { provider: '', id: '', incarnation: '' },
  };
}

function startScope({ inputs: _, ...request }: RunRequest, opened: OpenedRun): Scope {
  const { name, branch, commit } = opened.repository;
  const values: Record<string, Json> = {
    inputs: opened.inputs,
    steps: {},
    run: { id: workflowInfo().workflowId, requester: request.requester },
    repository: { name, branch, commit },
    evidence: { summary: '' },
  };
  return { values, cut: new Set(), doubles: doublePaths(opened.blueprint) };
}

function ended(context: RunContext): RunEnd {
  const { change } = context.carried;
  return change
    ? { outcome: 'succeeded', reason: `Change #${change.number} is open` }
    : { outcome: 'succeeded', reason: 'Every step is done' };
}

function endFor(error: unknown, control: RunControl): RunEnd {
  if (error instanceof RunEnded) return error.end;
  // What fails while a run is being cancelled fails because of it.
  if (isCancellation(error) || control.cancelledBy !== undefined)
    return {
      outcome: 'cancelled',
      code: 'cancelled',
      reason: control.cancelledBy ? `Cancelled by ${control.cancelledBy}` : 'Cancelled',
    };
  const { code, message } = describeFailure(error);
  const step = error instanceof FailedAt ? error.path : undefined;
  return { outcome: needsHuman.has(code) ? 'needs-human' : 'failed', code, reason: message, ...(step && { step }) };
}

/** Failures that a person settles, by looking at the repository or by answering; not by looking at Jig. */
const needsHuman: ReadonlySet<ErrorCode> = new Set([
  'foreign-commits',
  'base-moved',
  'ci-failed',
  'ci-timeout',
  'pause-expired',
]);

async function goOn(request: RunRequest, context: RunContext, generation: number): Promise<never> {
  const { journal, carried, opened, sandbox, view } = context;
  await condition(allHandlersFinished);
  // Plain data already; going through text drops what JSON leaves out.
  const value: Json = JSON.parse(JSON.stringify({ journal: journal.toJson(), carried, state: view.state }));
  const kept = await perform('keepValue', { value }, { summary: 'the journal so far' });
  return continueAsNew<typeof run>(request, { opened, generation, sandbox, kept });
}

/** Cleans up and ends, whatever happened. */
async function finish(
  end: RunEnd,
  view: RunView,
  context: RunContext | undefined,
  opened: OpenedRun | undefined,
  generation: number,
): Promise<RunEnd> {
  await CancellationScope.nonCancellable(async () => {
    view.setPhase('cleaning-up');
    if (opened) await removeSandboxes(opened, generation);
    view.failRunning(end.reason);
    try {
      view.state.evidence = await perform(
        'keepValue',
        { value: collectEvidence({ ...view.state, end }, context) },
        { summary: 'the evidence' },
      );
    } catch {
      // A run without its evidence in the store still has its state in Temporal.
    }
    // Whoever follows looks no further once there is an end, so the evidence stands before it.
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
