/** The guard against stale resumes: a run that comes back after long doesn't go on blindly. */
import type { RunContext } from './context.ts';
import { RunEnded } from './failures.ts';
import { perform } from './perform.ts';

/**
 * After a gap longer than `staleAfterMs`, whatever made it (a pause, a human's decision, a worker that was away), looks
 * whether the base has moved or others have touched the run's branch; then a human decides. @throws RunEnded
 */
export async function guardStaleResume(run: RunContext): Promise<void> {
  const { settings, repository } = run.opened;
  const gapMs = Date.now() - run.carried.seenAtMs;
  run.carried.seenAtMs = Date.now();
  if (gapMs < settings.staleAfterMs) return;
  const { change } = run.carried;
  const { baseMoved, branchForeign } = await perform(
    'checkFreshness',
    { repository, ...(change && { head: { branch: change.branch, commit: change.commit } }) },
    { summary: 'has the repository moved?', heartbeatTimeoutMs: settings.heartbeatTimeoutMs },
  );
  if (!baseMoved && !branchForeign) return;
  const what = branchForeign
    ? `others have pushed to ${change?.branch ?? 'the branch'}`
    : `${repository.branch} has moved`;
  const askedAtMs = Date.now();
  const verdict = await run.control.askHuman(
    {
      kind: 'stale',
      question: `The run was away for ${Math.round(gapMs / 60_000)} minutes, and ${what}. Approve to go on, reject to stop`,
      who: [],
      canSendBack: false,
    },
    settings.humanWaitMs,
  );
  run.carried.waitedMs += Date.now() - askedAtMs;
  run.carried.seenAtMs = Date.now();
  if (verdict?.decision !== 'approve')
    throw new RunEnded({
      outcome: 'needs-human',
      code: branchForeign ? 'foreign-commits' : 'base-moved',
      reason: `While the run was away, ${what}`,
    });
}
