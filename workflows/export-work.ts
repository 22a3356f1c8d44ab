/** Turns the sandbox's work into one commit. The trusted side makes it and checks it against the policy for changes. */
import { workflowInfo } from '@temporalio/workflow';
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
}

/** The request for an export of the sandbox's work. */
export function exportRequest(
  run: RunContext,
  sandbox: SandboxRef,
  { key, title, parent }: ExportOptions,
): ExportCommit {
  const { repository, settings, blueprint } = run.opened;
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
    },
    message: `${title.replaceAll(/\s+/g, ' ').trim()}\n\nJig-Blueprint: ${blueprint.name}@${run.request.blueprint.sha256.slice(0, 12)}\nJig-Run: ${workflowInfo().workflowId}\n`,
    author: settings.author,
    dateMs: run.view.state.startedAtMs,
  };
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
