import { workflowInfo } from '@temporalio/workflow';
import { plural } from '../../base/plural.ts';
import type { ChangeStep } from '../../blueprints/kinds/change.ts';
import { isDecisive } from '../../evidence/gate.ts';
import { checkCommands, summarizeChecks, type CheckedCommand } from '../check-commands.ts';
import type { RunContext, StepAction, StepResult } from '../context.ts';
import { renderEvidence, uncheckedNotice } from '../evidence.ts';
import { RunEnded, StepFailed } from '../failures.ts';
import type { CheckRecord, OpenedChange } from '../memory.ts';
import { perform } from '../perform.ts';
import { text, withValue } from '../render.ts';
import { exportWork } from '../export-work.ts';
import { remarksOn, surprisesOf } from '../remarks.ts';
import { inCleanCheckout } from '../sandbox.ts';
import { checkRequest, recordChecks } from './check.ts';

/**
 * Exports the work, runs the gates again on a clean checkout of it, pushes one branch and ensures one change. If the
 * work was sent back, the second time adds a commit to the same branch.
 */
export const changeStep: StepAction<ChangeStep> = async (run, { step, key, path, scope }) => {
  const { change } = step;
  const before = run.memory.change;
  const title = text(change.title, scope);
  const { only } = change;
  const parent = before?.commit;
  const exported = await exportWork(run, { key, title, ...(parent && { parent }), ...(only && { only }) });
  const remarks = remarksOn(exported);
  if (!exported.commit && before) return result(before, 'nothing more to commit');
  if (!exported.commit)
    throw new RunEnded({
      outcome: 'nothing-to-do',
      reason: ['The steps changed nothing', ...remarks].join('; '),
      step: path,
    });
  const gate = change.gate ?? 'clean';
  const checked = gate === 'clean' ? await decideOnCleanCheckout(run, path, key, exported.commit) : lastChecks(run);
  const isUnchecked = !checked.some((each) => isDecisive(each.result));
  const evidence = renderEvidence(run, gate, { isUnchecked, remarks });
  const withEvidence = withValue(scope, 'evidence', { summary: evidence });
  const opened = await publish(run, {
    number: 0,
    url: '',
    branch: before?.branch ?? (change.branch ? text(change.branch, scope) : defaultBranch(run)),
    commit: exported.commit,
    files: exported.files.length,
    title,
    body: change.body ? withNotice(text(change.body, withEvidence), isUnchecked) : evidence,
    draft: isUnchecked || (change.draft ?? run.opened.settings.defaults.change.draft),
    labels: change.labels ?? [],
    gate,
    surprises: surprisesOf(exported),
    ...(isUnchecked && { unchecked: true as const }),
  });
  const lines = `+${exported.insertions} −${exported.deletions}`;
  return result(opened, [`${isUnchecked ? 'unchecked, ' : ''}${lines}`, ...remarks].join('; '));
};

const withNotice = (body: string, isUnchecked: boolean): string =>
  isUnchecked && !body.startsWith(uncheckedNotice) ? `${uncheckedNotice}\n\n${body}` : body;

/** The checks since the last step that changes files by itself. */
function lastChecks({ memory, view }: RunContext): CheckRecord[] {
  const { steps } = view.state;
  const lastWork = steps.findLastIndex(({ kind }) => kind === 'agent' || kind === 'edit');
  const since = new Set(steps.slice(Math.max(lastWork, 0)).map(({ path }) => path));
  return memory.checks.filter(({ step, verdict }) => since.has(step) && verdict.passed);
}

/** Uses the end of the run's id: its beginning is the time, which runs that start together share. */
function defaultBranch({ opened }: RunContext): string {
  return `jig/${opened.blueprint.name}-${workflowInfo().firstExecutionRunId.slice(-12)}`;
}

function result({ number, url, branch, commit, files }: OpenedChange, what: string): StepResult {
  return {
    outputs: { number, url, branch, commit },
    note: `#${number}, ${plural(files, 'file')}, ${what}`,
  };
}

/**
 * Runs the gates again on the exported commit, in a separate sandbox. There, what the agent left behind (processes,
 * caches, ignored files) can't influence them. @throws StepFailed `gate-failed`
 */
export async function decideOnCleanCheckout(
  run: RunContext,
  path: string,
  key: string,
  commit: string,
): Promise<CheckedCommand[]> {
  const { gates } = run.memory;
  if (gates.length === 0) return [];
  const gatePath = `${path}/gate`;
  const row = run.view.begin(gatePath, 'gate', 'The checks once more, in a clean checkout');
  const checked = await inCleanCheckout(run, { commit, key: `${key}/gate` }, async (sandbox) => {
    const decided = [];
    for (const [index, { timeoutMs, steps: _, ...command }] of gates.entries()) {
      const name = `${key}/gate/${index}`;
      const attempts = run.opened.settings.defaults.retries + 1;
      const commands = [command];
      const request = { sandbox, key: name, commands, firstNumber: index, timeoutMs, attempts };
      decided.push(...(await checkCommands(checkRequest(run, gatePath, request), true)));
    }
    return decided;
  });
  recordChecks(run.memory, gatePath, checked);
  const passed = checked.every(({ verdict }) => verdict.passed);
  run.view.finish(row, passed ? 'succeeded' : 'failed', { note: summarizeChecks(checked) });
  if (!passed) throw new StepFailed('gate-failed', `In a clean checkout: ${summarizeChecks(checked)}`);
  return checked;
}

/** Pushes the commit and updates the change. Repeatable. */
export async function publish(run: RunContext, wanted: OpenedChange): Promise<OpenedChange> {
  const { repository, settings } = run.opened;
  const options = { heartbeatTimeoutMs: settings.heartbeatTimeoutMs, timeoutMs: settings.defaults.timeoutsMs.change };
  const expected = run.memory.change?.commit;
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
  run.memory.change = opened;
  const { commit, files, unchecked } = wanted;
  run.view.state.change = { number, url, branch, commit, files, ...(unchecked && { unchecked }) };
  return opened;
}
