/** Turns the sandbox's work into one commit. The trusted side makes it and checks it against the policy for changes. */
import { workflowInfo } from '@temporalio/workflow';
import type { ChangeStep } from '../blueprints/kinds/change.ts';
import { allSteps } from '../blueprints/steps.ts';
import type { ExportCommit, RunSettings } from '../activities/contract.ts';
import type { ExportedCommit } from '../git/contract.ts';
import type { SandboxRef } from '../sandbox/contract.ts';
import type { RunContext } from './context.ts';
import { perform } from './perform.ts';

interface ExportOptions {
  /** Names the export within the run. */
  key: string;
  title: string;
  /** The parent of the commit; the run's base if missing. */
  parent?: string;
  /** Globs of the files that the change may touch; all if missing. */
  only?: string[];
}

/** The request for an export of the sandbox's work. */
export function exportRequest(
  run: RunContext,
  sandbox: SandboxRef,
  { key, title, parent, only }: ExportOptions,
): ExportCommit {
  const { repository, settings, blueprint } = run.opened;
  const { include, allow } = findChangeStep(run)?.change ?? {};
  return {
    sandbox,
    key: `${run.key}/${key}`,
    repository,
    base: repository.commit,
    parent: parent ?? repository.commit,
    policy: {
      maxFiles: settings.maxChangedFiles,
      maxBytes: settings.maxChangedBytes,
      protectedPaths: settings.protectedPaths,
      ...(only && { allowedPaths: only }),
      ...(allow && { allow }),
    },
    ...(include && { include }),
    message: `${title.replaceAll(/\s+/g, ' ').trim()}\n\nJig-Blueprint: ${blueprint.name}@${run.request.blueprint.sha256.slice(0, 12)}\nJig-Run: ${workflowInfo().workflowId}\n`,
    author: settings.author,
    dateMs: run.view.state.startedAtMs,
  };
}

/** The blueprint's `change` step. What it says of the change holds for each export of the run. */
export function findChangeStep({ opened }: Pick<RunContext, 'opened'>): ChangeStep | undefined {
  return allSteps(opened.blueprint.steps).find((step) => 'change' in step);
}

/** Exports the work as one commit, which the quarantine holds. Repeatable by key. */
export async function exportWork(run: RunContext, wanted: ExportOptions): Promise<ExportedCommit> {
  const sandbox = await run.absence.ensureSandbox(run);
  return performExport(exportRequest(run, sandbox, wanted), run.opened.settings);
}

export function performExport(
  request: ExportCommit,
  { heartbeatTimeoutMs, defaults }: Pick<RunSettings, 'heartbeatTimeoutMs' | 'defaults'>,
): Promise<ExportedCommit> {
  return perform('exportCommit', request, {
    summary: request.message.split('\n', 1)[0] ?? '',
    timeoutMs: defaults.timeoutsMs.change,
    heartbeatTimeoutMs,
  });
}
