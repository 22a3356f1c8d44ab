import { z } from 'zod';
import { defaults } from '../base/defaults.ts';
import { JigError } from '../base/errors.ts';
import { BlueprintFile } from '../blueprints/folder.ts';
import { neutralize } from '../forge/neutralize.ts';
import type { ExportedCommit } from '../git/contract.ts';
import { checkoutCommand, exportScript, nothingToExport, systemScript } from '../git/sandbox-scripts.ts';
import type { Sandbox, SandboxProvider, StateReached } from '../sandbox/contract.ts';
import { SandboxLost } from '../sandbox/errors.ts';
import { applyEdit, undoEdit } from './apply-edit.ts';
import { checkOwnEnd, log, workSignal } from './activity.ts';
import { callTool } from './call-tool.ts';
import { captureCommand, mustSucceed } from './captured-output.ts';
import type {
  CommandReport,
  ExportCommit,
  PreparedSandbox,
  PrepareSandbox,
  RunCommand,
  SandboxActivities,
} from './contract.ts';
import { loadJson } from './kept.ts';
import { chooseNewFiles, withNotes } from './left-out.ts';
import type { Parts } from './parts.ts';
import { findReports } from './test-reports.ts';
import { isRemoved, keepRemoval } from './removed-sandboxes.ts';
import { copySandbox, restoreSandbox } from './sandbox-copies.ts';

/** The git identity in the checkout. Commits made in a sandbox are never published, only their tree is. */
const inside = { branch: 'work', author: { name: 'sandbox', email: 'sandbox@localhost' } };

/** How many refused hosts are reported for a failed command. */
const maxRefused = 5;

export function createSandboxActivities(parts: Parts): SandboxActivities {
  return {
    prepareSandbox: (request) => prepareSandbox(parts, request),
    runCommand: (request) => runCommand(parts, request),
    applyEdit: (request) => applyEdit(parts, request),
    undoEdit: (request) => undoEdit(parts, request),
    callTool: (request) => callTool(parts, request),
    exportCommit: (request) => exportCommit(parts, request),
    async copySandbox(request) {
      const copy = await copySandbox(parts, request, workSignal());
      log().info('workspace copied', { key: request.key, ...copy });
      return copy;
    },
    restoreSandbox: (request) => restoreSandbox(parts, request, workSignal()),
    removeSandbox: ({ id }) => removeSandbox(parts, id),
  };
}

async function prepareSandbox(
  parts: Parts,
  { repository, commit, history, blueprintFiles, ...spec }: PrepareSandbox,
): Promise<PreparedSandbox> {
  const signal = workSignal();
  checkEgress(parts.sandboxes, spec.egress);
  const blueprint = blueprintFiles && (await loadJson(parts.artifacts, blueprintFiles, z.array(BlueprintFile)));
  const sandbox = await parts.sandboxes.ensureSandbox(
    { ...spec, leaseMs: parts.leaseMs, ...(blueprint && { blueprint }) },
    signal,
  );
  if (await isRemoved(parts.artifacts, spec.id)) {
    await parts.sandboxes.destroySandbox(spec.id);
    throw new SandboxLost(`the sandbox ${spec.id} was removed before this try could make it`);
  }
  const base = { branch: repository.branch, commit: repository.commit };
  const bundle = await parts.git.createCheckoutBundle(repository, commit, {
    base: base.commit,
    ...(history && { history }),
  });
  const result = await sandbox.run(
    {
      key: 'checkout',
      argv: checkoutCommand({ repository: repository.name, commit, base, ...inside }),
      stdin: bundle,
      timeoutMs: defaults.timeoutsMs.setup,
      outputCapBytes: defaults.output.maxKeptBytes,
    },
    { signal },
  );
  await mustSucceed(parts.artifacts, result, 'The checkout', 'checkout-failed');
  const states: StateReached[] = [...sandbox.states, { state: 'checked-out', at: new Date().toISOString() }];
  log().info('sandbox is ready', { sandbox: sandbox.ref.id, states });
  return { ...sandbox.ref, states };
}

/** Refuses hosts that the provider can't open, before the sandbox is made. @throws JigError */
function checkEgress({ name, capabilities: { egress, isolation } }: SandboxProvider, hosts: string[]): void {
  if (hosts.length === 0 || egress || isolation === 'none') return;
  throw new JigError(
    'sandbox-egress-unavailable',
    `The blueprint lists ${hosts.join(', ')} under \`sandbox.egress\`, but sandboxes of the provider ${name} have no network`,
  );
}

/** Removes a sandbox for good: its id can't be used again. Repeatable. */
async function removeSandbox({ artifacts, sandboxes }: Parts, id: string): Promise<void> {
  await keepRemoval(artifacts, id);
  await sandboxes.destroySandbox(id);
}

async function runCommand(parts: Parts, request: RunCommand): Promise<CommandReport> {
  const { key, argv, env, timeoutMs } = request;
  const sandbox = await parts.sandboxes.getSandbox(request.sandbox);
  const signal = workSignal();
  const result = await withNotes(sandbox, { key, keepOut: request.keepOut }, signal, () =>
    sandbox.run({ key, argv, env, timeoutMs, outputCapBytes: defaults.output.artifactMaxBytes }, { signal }),
  );
  checkOwnEnd(result, signal);
  log().info('command ended', { key, ending: result.ending, exitCode: result.exitCode, durationMs: result.durationMs });
  const refused = result.ending === 'exited' && result.exitCode === 0 ? [] : await listRefused(sandbox);
  const reports = request.check && (await findReports(sandbox, { key, argv, ...request.check }, result, workSignal()));
  return captureCommand(parts.artifacts, result, request, { refused, reports });
}

/** The latest hosts that the sandbox was refused, for a command that may have failed by it. */
async function listRefused(sandbox: Sandbox): Promise<string[]> {
  const refusals = await sandbox.listRefusals();
  if (refusals.length > 0) log().warn('connections were refused', { refusals: refusals.slice(-maxRefused) });
  return [...new Set(refusals.map(({ host, port }) => `${host}:${port}`))].slice(-maxRefused);
}

async function exportCommit(parts: Parts, request: ExportCommit): Promise<ExportedCommit> {
  const { repository, base, parent, policy, message, author, dateMs, key, since } = request;
  const signal = workSignal();
  const sandbox: Sandbox = await parts.sandboxes.getSandbox(request.sandbox);
  const { chosen, leftOut } = await chooseNewFiles(sandbox, request, signal);
  const result = await sandbox.run(
    {
      key: `${key}/export`,
      argv: systemScript(exportScript, base),
      stdin: chosen,
      timeoutMs: defaults.timeoutsMs.change,
      outputCapBytes: defaults.output.artifactMaxBytes,
    },
    { signal },
  );
  const isBase = result.ending === 'exited' && result.exitCode === nothingToExport;
  if (isBase && parent === base) return { base, files: [], insertions: 0, deletions: 0, ...(leftOut && { leftOut }) };
  if (!isBase) await mustSucceed(parts.artifacts, result, 'The export', 'export-failed');
  if (result.stdout.droppedBytes > 0)
    throw new JigError('too-large', `The export is larger than ${defaults.output.artifactMaxBytes} bytes`);
  const exported = await parts.git.quarantine(
    // Code hosts act on commit messages too: they close issues and skip checks.
    {
      repository,
      base,
      parent,
      policy,
      message: neutralize(message),
      author,
      key,
      // Without a bundle the commit gets the base's own tree: it undoes everything that was pushed before.
      ...(!isBase && { bundlePath: result.stdout.path }),
      date: new Date(dateMs).toISOString(),
      ...(since && { since }),
    },
    signal,
  );
  return { ...exported, ...(leftOut && { leftOut }) };
}
