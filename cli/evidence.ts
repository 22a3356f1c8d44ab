/** A run's evidence for a person: each check before and after the change. */
import { z } from 'zod';
import { CheckResult, describeResult, Verdict } from '../evidence/gate.ts';
import type { ArtifactStore } from '../artifacts/contract.ts';
import type { RunState } from '../workflows/messages.ts';
import { readArtifact } from './local-data.ts';
import { oneLine, table, type Paint } from './output.ts';

const Evidence = z.object({
  checks: z.array(
    z.object({
      step: z.string(),
      result: CheckResult,
      before: CheckResult.optional(),
      verdict: Verdict,
    }),
  ),
});

/** The evidence as text; empty if the run kept none. @throws JigError `artifact-unavailable` */
export async function renderEvidence(state: RunState, store: ArtifactStore, paint: Paint): Promise<string> {
  if (!state.evidence) return '';
  const { checks } = Evidence.parse(JSON.parse(await readArtifact(store, state.evidence)));
  if (checks.length === 0) return 'No check ran.';
  const rows = checks.map(({ step, result, before, verdict }) => {
    return [
      verdict.passed ? '✓' : '✗',
      oneLine(step, 30),
      oneLine(result.command, 60),
      oneLine(
        `${before ? `${describeResult(before)} → ` : ''}${describeResult(result)}${verdict.passed ? '' : ` (${verdict.reason})`}`,
      ),
    ];
  });
  return `${table(rows)}\n${paint('dim', `blueprint sha256 ${state.blueprint.sha256}`)}`;
}
