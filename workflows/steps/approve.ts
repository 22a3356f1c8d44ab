import { defaults } from '../../base/defaults.ts';
import { durationMs } from '../../base/durations.ts';
import type { ApproveStep } from '../../blueprints/schema.ts';
import { RunEnded, SentBack } from '../failures.ts';
import type { StepKindAction } from '../context.ts';
import { text } from '../render.ts';

/** A human gate. Its deadline decides by its default, which is to reject. */
export const approveStep: StepKindAction<ApproveStep> = async (run, { step, path, scope, before }) => {
  const { approve } = step;
  const agentBefore = before.findLast((earlier) => 'agent' in earlier)?.id;
  const sentBack = run.journal.rounds.get(path) ?? 0;
  const canSendBack = agentBefore !== undefined && sentBack < (approve.rounds ?? defaults.approve.rounds);
  const waitMs = approve.wait ? durationMs(approve.wait) : defaults.approve.waitMs;
  const askedAtMs = Date.now();
  const verdict = await run.control.askHuman(
    {
      kind: 'approval',
      question: approve.question ? text(approve.question, scope) : 'Approve the work so far?',
      who: approve.who ?? [],
      canSendBack,
    },
    waitMs,
  );
  run.carried.waitedMs += Date.now() - askedAtMs;
  if (verdict?.decision === 'send-back' && agentBefore)
    throw new SentBack(agentBefore, `${verdict.by} sent the work back: ${verdict.comment}`);
  const decision = verdict?.decision ?? approve.default ?? defaults.approve.decision;
  const by = verdict?.by ?? 'the deadline';
  if (decision !== 'approve') {
    throw new RunEnded(
      verdict
        ? {
            outcome: 'cancelled',
            code: 'rejected',
            reason: `${by} rejected it${verdict.comment ? `: ${verdict.comment}` : ''}`,
            step: path,
          }
        : {
            outcome: 'needs-human',
            code: 'approval-expired',
            reason: 'Nobody decided before the deadline',
            step: path,
          },
    );
  }
  return { outputs: { decision, by, comment: verdict?.comment ?? '' }, note: `approved by ${by}` };
};
