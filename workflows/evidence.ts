/** What a run can show a reviewer: as Markdown for the change, and as data for programs. */
import type { RunContext } from './context.ts';
import { cell, renderSteps, renderUsage } from './details.ts';
import type { RunMemory } from './memory.ts';
import type { RunEnd } from './messages.ts';

/** The evidence as Markdown. `gate` says whether the gates ran again on a clean checkout. */
export function renderEvidence(run: Pick<RunContext, 'memory' | 'view'>, gate: 'clean' | 'spared'): string {
  const { state } = run.view;
  const { usage } = state;
  const checks = run.memory.checks.map(({ step, result, before, verdict }) => {
    return `| ${verdict.passed ? '✓' : '✗'} | ${cell(step)} | ${cell(result.command)} | ${before ? summarizeResult(before) : ''} | ${summarizeResult(result)} | ${cell(verdict.reason)} |`;
  });
  return [
    '### Evidence',
    gate === 'spared'
      ? '> The checks did **not** run again in a clean checkout, because the blueprint says so.'
      : 'The checks below named `gate` ran in a clean checkout of this commit, with nothing left of the agent.',
    ...(checks.length > 0
      ? [['| | step | check | before | after | |', '|---|---|---|---|---|---|', ...checks].join('\n')]
      : ['No check ran.']),
    renderSteps(state.steps),
    `Blueprint ${cell(state.blueprint.name)} \`${state.blueprint.sha256}\`, model ${cell(state.model)}, ${renderUsage(usage)}. Requested by ${cell(state.requester)}.`,
  ].join('\n\n');
}

function summarizeResult({
  exitCode,
  tests,
}: {
  exitCode: number;
  tests?: { passed: number; failed: number; skipped: number } | undefined;
}): string {
  return tests ? `${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped` : `exit code ${exitCode}`;
}

/** Everything that the run knows, for programs. */
export function collectEvidence({ shown, checks, baseline }: RunMemory, end: RunEnd): object {
  return { state: { ...shown, end }, checks, baseline };
}
