/** The guard against stale resumes: a run that comes back after long doesn't go on blindly. */
import type { RunContext } from './context.ts';
import { RunEnded } from './failures.ts';
import { perform } from './perform.ts';

/**
 * After a gap longer than `staleAfterMs`, whatever made it (a pause, a person's decision, a worker that was away), looks
 * whether the base has moved or others have touched the run's branch; then a person decides. Steps that go on at once
 * all wait for the one look. @throws RunEnded
 */
export async function guardStaleResume(run: RunContext): Promise<void> {
  run.guard.looking ??= look(run).finally(() => {
    run.guard.looking = undefined;
  });
  await run.guard.looking;
}

async function look(run: RunContext): Promise<void> {
  const { settings, repository } = run.opened;
  const { memory, control, absence } = run;
  const gapMs = Date.now() - memory.seenAtMs;
  memory.seenAtMs = Date.now();
  if (gapMs < settings.staleAfterMs) return;
  const { change } = memory;
  const { baseMoved, branchForeign } = await perform(
    'checkFreshness',
    { repository, ...(change && { head: { branch: change.branch, commit: change.commit } }) },
    { summary: 'has the repository moved?', heartbeatTimeoutMs: settings.heartbeatTimeoutMs },
  );
  if (!baseMoved && !branchForeign) return;
  const what = branchForeign
    ? `others have pushed to ${change?.branch ?? 'the branch'}`
    : `${repository.branch} has moved`;
  const minutes = Math.round(gapMs / 60_000);
  const question = `The run was away for ${minutes === 1 ? '1 minute' : `${minutes} minutes`}, and ${what}. Approve to go on, reject to stop`;
  const answer = await absence.wait(run, () =>
    control.askHuman({ id: 'stale', kind: 'stale', question, who: [], sendBackTo: [] }, settings.humanWaitMs),
  );
  memory.seenAtMs = Date.now();
  if (answer?.decision === 'approve') return;
  const code = branchForeign ? 'foreign-commits' : 'base-moved';
  throw new RunEnded({ outcome: 'needs-human', code, reason: `While the run was away, ${what}` });
}
