/** A run's sandboxes: made, checked out, set up, and removed however the run ends. */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import { describeEnding } from '../base/command-endings.ts';
import { nameOutputs } from '../base/output-names.ts';
import type { RunDefaults } from '../base/defaults.ts';
import type { SandboxRef, SandboxResources, StateReached } from '../sandbox/contract.ts';
import type { OpenedRun } from '../activities/contract.ts';
import type { RunContext } from './context.ts';
import type { RunMemory } from './memory.ts';
import { describeFailure, FailedAt, keptBefore } from './failures.ts';
import { perform } from './perform.ts';
import { refusedHosts } from './refused-hosts.ts';
import { command } from './render.ts';

/**
 * The key of a run's effects: its first execution's id, and how often the work was started again. It never holds a `/`.
 */
export function runKey({ counts: { walks, losses } }: RunMemory): string {
  const generation = walks + losses;
  const { firstExecutionRunId } = workflowInfo();
  return generation === 0 ? firstExecutionRunId : `${firstExecutionRunId}.${generation + 1}`;
}

/** Setup runs before any step, so there is nothing for expressions to read. */
const noScope = { values: {}, cut: new Set<string>(), doubles: new Map() };

/** Makes a sandbox, checks a commit out in it and runs the blueprint's setup. @throws FailedAt `setup-failed` */
export async function prepareSandbox(
  run: RunContext,
  { id, commit, key }: { id: string; commit: string; key: string },
): Promise<SandboxRef> {
  const { blueprint, blueprintFolder, repository, settings } = run.opened;
  const section = blueprint.sandbox ?? {};
  const heartbeatTimeoutMs = settings.heartbeatTimeoutMs;
  const row = run.view.begin(`${key}/sandbox`, 'sandbox', 'A sandbox with a checkout');
  run.memory.sandboxIds.push(id);
  const { states = [], ...sandbox } = await perform(
    'prepareSandbox',
    {
      id,
      repository,
      commit,
      owner: workflowInfo().workflowId,
      resources: resources(section.resources ?? {}, settings.defaults.sandbox),
      egress: section.egress ?? [],
      env: section.env ?? {},
      ...(section.history && { history: section.history }),
      ...(section.image && { image: section.image }),
      ...(blueprintFolder?.files && { blueprintFiles: blueprintFolder.files }),
    },
    { summary: `${repository.name} at ${commit.slice(0, 12)}`, timeoutMs: settings.setupTimeoutMs, heartbeatTimeoutMs },
  ).catch((error: unknown) => {
    run.view.keep(row.path, { artifacts: keptBefore(error) });
    throw error;
  });
  const place = `${repository.branch} at ${commit.slice(0, 12)}`;
  run.view.finish(row, 'succeeded', {
    note: [place, ...renderStates(states)].join('; '),
    ...(states.length > 0 && { states }),
  });
  await setUp(run, sandbox, { key, commit });
  return sandbox;
}

/** When each state was reached, as time since the first. Clusters report whole seconds. */
function renderStates([first, ...later]: StateReached[]): string[] {
  if (!first) return [];
  const seconds = ({ at }: StateReached): string =>
    (Math.max(0, Date.parse(at) - Date.parse(first.at)) / 1000).toFixed(1);
  return [later.map((reached) => `${reached.state} after ${seconds(reached)} s`).join(', ')];
}

async function setUp(
  { opened, view }: Pick<RunContext, 'opened' | 'view'>,
  sandbox: SandboxRef,
  { key, commit }: { key: string; commit: string },
): Promise<void> {
  const { setupTimeoutMs: timeoutMs, heartbeatTimeoutMs } = opened.settings;
  const sources = opened.blueprint.sandbox?.setup ?? [];
  for (const [index, source] of sources.entries()) {
    const { argv, shown } = command(source, noScope);
    const row = view.begin(`${key}/setup/${index}`, 'setup', shown);
    // Nothing is exported from a clean checkout of the change.
    const isBase = commit === opened.repository.commit;
    const keepOut = index === sources.length - 1 ? { base: commit } : {};
    const outcome = await perform(
      'runCommand',
      { sandbox, key: `setup/${index}`, argv, env: {}, timeoutMs, shown, ...(isBase && { keepOut }) },
      { summary: shown, timeoutMs, heartbeatTimeoutMs },
    );
    const passed = outcome.ending === 'exited' && outcome.exitCode === 0;
    view.keep(row.path, { artifacts: nameOutputs(outcome) });
    view.finish(row, passed ? 'succeeded' : 'failed', { note: shown });
    if (!passed)
      throw new FailedAt(
        row.path,
        'setup-failed',
        `Setup: ${shown} ${describeEnding(outcome)}${refusedHosts(outcome.refused)}: ${(outcome.stderr.text || outcome.stdout.text).trim().slice(-500)}`,
      );
  }
}

interface WantedResources {
  cpu?: number | undefined;
  memory?: string | undefined;
  disk?: string | undefined;
  processes?: number | undefined;
}

function resources({ cpu, memory, disk, processes }: WantedResources, usual: RunDefaults['sandbox']): SandboxResources {
  return {
    cpu: cpu ?? usual.cpu,
    memoryBytes: memory ? sizeBytes(memory) : usual.memoryBytes,
    diskBytes: disk ? sizeBytes(disk) : usual.diskBytes,
    processes: processes ?? usual.processes,
  };
}

/** The bytes of a size such as `512Mi`, which was checked before. */
function sizeBytes(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith('Gi') ? 1024 ** 3 : 1024 ** 2);
}

/** How often work is tried in a clean checkout whose sandbox is lost. */
const maxCheckouts = 3;

/**
 * Runs `work` in a separate sandbox that is removed afterwards in any case. If that sandbox is lost, nothing else is,
 * so the work is done again in another one.
 */
export async function inCleanCheckout<Result>(
  run: RunContext,
  place: { commit: string; key: string },
  work: (sandbox: SandboxRef) => Promise<Result>,
): Promise<Result> {
  for (let checkout = 1; ; checkout += 1) {
    try {
      return await inOneCheckout(run, place, work);
    } catch (error) {
      if (checkout >= maxCheckouts || describeFailure(error).code !== 'sandbox-lost') throw error;
    }
  }
}

/** The sandbox's id is used only once: what was removed stays removed. */
async function inOneCheckout<Result>(
  run: RunContext,
  { commit, key }: { commit: string; key: string },
  work: (sandbox: SandboxRef) => Promise<Result>,
): Promise<Result> {
  const number = (run.memory.counts.cleanCheckouts += 1);
  const id = `${run.key}-gate${number > 1 ? `-${number}` : ''}`;
  try {
    return await work(await prepareSandbox(run, { id, commit, key }));
  } finally {
    await CancellationScope.nonCancellable(() => removeSandbox(run.opened, run.memory, id));
  }
}

/** Removes all sandboxes that a run may have made, even one that was only half made, except the one to keep. */
export async function removeSandboxes(opened: OpenedRun, memory: RunMemory, keep?: SandboxRef): Promise<void> {
  for (const id of memory.sandboxIds) if (id !== keep?.id) await removeSandbox(opened, memory, id);
}

/** Repeatable. Never throws. */
export async function removeSandbox({ settings }: OpenedRun, memory: RunMemory, id: string): Promise<void> {
  const { heartbeatTimeoutMs } = settings;
  try {
    await perform('removeSandbox', { id }, { summary: 'clean up', attempts: 20, heartbeatTimeoutMs });
    memory.sandboxIds = memory.sandboxIds.filter((each) => each !== id);
  } catch {
    // The run ends anyway: the sweeper removes the sandboxes of closed runs.
  }
}
