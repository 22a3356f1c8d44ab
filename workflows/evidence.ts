/** What a run can show a reviewer: as Markdown for the change, and as data for programs. */
import { describeResult } from '../evidence/gate.ts';
import type { RunContext } from './context.ts';
import { cell, renderSteps, renderUsage } from './details.ts';
import type { CheckRecord, RunMemory } from './memory.ts';
import type { RunEnd } from './messages.ts';

/** What a change says first if no check decided on it. */
export const uncheckedNotice = '> **Unchecked.** No check decided on this change. Look at every line of it.';

/** The evidence as Markdown. `gate` says whether the gates ran again on a clean checkout. */
export function renderEvidence(
  run: Pick<RunContext, 'memory' | 'view'>,
  gate: 'clean' | 'spared',
  { isUnchecked = false, remarks = [] }: { isUnchecked?: boolean; remarks?: string[] } = {},
): string {
  const { state } = run.view;
  const { usage } = state;
  const checks = run.memory.checks.toSorted(failedFirst).map(({ step, result, before, verdict }) => {
    return `| ${verdict.passed ? '✓' : '✗'} | ${cell(step)} | ${cell(result.command)} | ${before ? cell(describeResult(before)) : ''} | ${cell(describeResult(result))} | ${cell(verdict.reason)} |`;
  });
  return [
    ...(isUnchecked ? [uncheckedNotice] : []),
    '### Evidence',
    gate === 'spared'
      ? '> The checks did **not** run again in a clean checkout, because the blueprint says so.'
      : 'The checks below named `gate` ran in a clean checkout of this commit, with nothing left of the agent.',
    ...(remarks.length > 0 ? [remarks.map((remark) => `- ${cell(remark)}`).join('\n')] : []),
    ...(checks.length > 0
      ? [['| | step | check | before | after | |', '|---|---|---|---|---|---|', ...checks].join('\n')]
      : ['No check ran.']),
    renderSteps(state.steps),
    `Blueprint ${cell(state.blueprint.name)} \`${state.blueprint.sha256}\`, model ${cell(state.model)}, ${renderUsage(usage)}. Requested by ${cell(state.requester)}.`,
  ].join('\n\n');
}

/** What failed stands first, then what failed and was excused. */
function failedFirst(a: CheckRecord, b: CheckRecord): number {
  const rank = ({ verdict, result }: CheckRecord) => (verdict.passed ? (result.exitCode === 0 ? 2 : 1) : 0);
  return rank(a) - rank(b);
}

/** Everything that the run knows, for programs. */
export function collectEvidence({ shown, checks, baseline }: RunMemory, end: RunEnd): object {
  return { state: { ...shown, end }, checks, baseline };
}
