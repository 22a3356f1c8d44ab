import { durationMs } from '../../base/durations.ts';
import type { ApproveStep } from '../../blueprints/kinds/approve.ts';
import type { StepAction } from '../context.ts';
import { RunEnded, SentBack } from '../failures.ts';
import { text } from '../render.ts';
import { listTargets } from '../send-back.ts';

/**
 * Asks a person to decide. At the deadline the step's default decides, which is to reject unless the step says
 * otherwise.
 */
export const approveStep: StepAction<ApproveStep> = async (run, { step, path, base, scope, before }) => {
  const { approve } = step;
  const { sentBack } = run.memory;
  const times = sentBack[base] ?? 0;
  const { defaults } = run.opened.settings;
  const sendBackTo = times < (approve.rounds ?? defaults.approve.rounds) ? listTargets(before) : [];
  const question = approve.question ? text(approve.question, scope) : 'Approve the work so far?';
  const waitMs = approve.wait ? durationMs(approve.wait) : defaults.approve.waitMs;
  const asked = { id: path, kind: 'approval' as const, question, who: approve.who ?? [], sendBackTo };
  const answer = await run.clock.wait(() => run.waits.run(() => run.control.askHuman(asked, waitMs)));
  const target = answer?.to ?? sendBackTo[0];
  if (answer?.decision === 'send-back' && target !== undefined) {
    sentBack[base] = times + 1;
    throw new SentBack(target, `${answer.by} sent the work back: ${answer.comment}`);
  }
  const decision = answer?.decision ?? approve.default ?? defaults.approve.decision;
  const { by = '', comment = '' } = answer ?? {};
  if (decision === 'approve')
    return { outputs: { decision, by, comment }, note: `approved by ${by === '' ? 'the deadline' : by}` };
  throw new RunEnded(
    answer
      ? {
          outcome: 'cancelled',
          code: 'rejected',
          reason: `${by} rejected it${comment ? `: ${comment}` : ''}`,
          step: path,
        }
      : {
          outcome: 'needs-human',
          code: 'approval-expired',
          reason: 'Nobody decided before the deadline',
          step: path,
        },
  );
};
