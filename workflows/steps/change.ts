import { workflowInfo } from '@temporalio/workflow';
import { defaults } from '../../base/defaults.ts';
import type { ChangeStep } from '../../blueprints/schema.ts';
import { checkCommands, summarizeChecks } from '../check-commands.ts';
import type { OpenedChange, RunContext, StepKindAction } from '../context.ts';
import { renderEvidence } from '../evidence.ts';
import { RunEnded, StepFailed } from '../failures.ts';
import { perform } from '../perform.ts';
import { text, withValue } from '../render.ts';
import { exportWork } from '../export-work.ts';
import { inCleanCheckout } from '../sandbox.ts';
import { checkRequest, recordChecks } from './check.ts';

/** Exports the work, decides the gates once more on a clean checkout of it, pushes one branch, ensures one change. */
export const changeStep: StepKindAction<ChangeStep> = async (run, { step, key, path, scope }) => {
  const { change } = step;
  const title = text(change.title, scope);
  const exported = await exportWork(run, { key, title });
  if (!exported.commit)
    throw new RunEnded({ outcome: 'nothing-to-do', reason: 'The steps changed nothing', step: path });
  const gate = change.gate ?? 'clean';
  if (gate === 'clean') await decideOnCleanCheckout(run, path, key, exported.commit);
  const branch = change.branch
    ? text(change.branch, scope)
    : `jig/${run.opened.blueprint.name}-${workflowInfo().firstExecutionRunId.slice(0, 8)}`;
  const withEvidence = withValue(scope, 'evidence', { summary: renderEvidence(run, gate) });
  const wanted: OpenedChange = {
    number: 0,
    url: '',
    branch,
    commit: exported.commit,
    files: exported.files.length,
    title,
    body: change.body ? text(change.body, withEvidence) : renderEvidence(run, gate),
    draft: change.draft ?? defaults.change.draft,
    labels: change.labels ?? [],
    gate,
  };
  const opened = await publish(run, wanted);
  const { number, url, commit, files } = opened;
  return {
    outputs: { number, url, branch: opened.branch, commit },
    note: `#${number}, ${files} ${files === 1 ? 'file' : 'files'}, +${exported.insertions} −${exported.deletions}`,
  };
};

/**
 * The checks decide once more on the exported commit, in a sandbox of its own: what the agent left in the first one
 * (processes, caches, ignored files) can't decide for it. @throws StepFailed `gate-failed`
 */
export async function decideOnCleanCheckout(run: RunContext, path: string, key: string, commit: string): Promise<void> {
  if (run.carried.gates.length === 0) return;
  const gatePath = `${path}/gate`;
  const row = run.view.begin(gatePath, 'gate', 'The checks once more, in a clean checkout');
  const checked = await inCleanCheckout(run, { commit, key: `${key}/gate` }, async (sandbox) => {
    const decided = [];
    for (const [index, { command, env, timeoutMs }] of run.carried.gates.entries()) {
      const request = checkRequest(run, {
        key: `${key}/gate/${index}`,
        commands: [command],
        env,
        timeoutMs,
        attempts: defaults.retries + 1,
      });
      decided.push(...(await checkCommands({ ...request, sandbox })));
    }
    return decided;
  });
  recordChecks(run.carried, gatePath, checked);
  const passed = checked.every(({ verdict }) => verdict.passed);
  run.view.finish(row, passed ? 'succeeded' : 'failed', { note: summarizeChecks(checked) });
  if (!passed) throw new StepFailed('gate-failed', `In a clean checkout: ${summarizeChecks(checked)}`);
}

/** Pushes the commit and brings the change up to date; repeatable. */
export async function publish(run: RunContext, wanted: OpenedChange): Promise<OpenedChange> {
  const { repository, settings } = run.opened;
  const options = { heartbeatTimeoutMs: settings.heartbeatTimeoutMs, timeoutMs: defaults.timeoutsMs.change };
  const expected = run.carried.change?.commit;
  const { branch } = await perform(
    'pushBranch',
    { repository, commit: wanted.commit, branch: wanted.branch, ...(expected && { expected }) },
    { ...options, summary: wanted.branch },
  );
  const { title, body, draft, labels } = wanted;
  const { number, url } = await perform(
    'ensureChange',
    { repository, branch, marker: workflowInfo().workflowId, title, body, draft, labels },
    { ...options, summary: title },
  );
  const opened: OpenedChange = { ...wanted, branch, number, url };
  run.carried.change = opened;
  run.view.state.change = { number, url, branch, commit: wanted.commit, files: wanted.files };
  return opened;
}
