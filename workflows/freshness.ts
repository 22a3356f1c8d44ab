/** The guard against stale resumes: a run that comes back after a long time checks whether anything has changed. */
import { plural } from '../base/plural.ts';
import type { RunContext } from './context.ts';
import { RunEnded } from './failures.ts';
import { perform } from './perform.ts';

/**
 * Asks a person how to go on if the base has moved or others have touched the run's branch. It looks only after a gap
 * longer than `staleAfterMs`, whatever the reason: a pause, a person's decision, a worker that was away. Steps that run
 * at the same time wait for the same check. @throws RunEnded
 */
export async function guardStaleResume(run: RunContext): Promise<void> {
  run.guard.looking ??= look(run).finally(() => {
    run.guard.looking = undefined;
  });
  await run.guard.looking;
}

/** Remembers when it looked only once that has come to its end: a new execution looks again. */
async function look(run: RunContext): Promise<void> {
  const gapMs = Date.now() - run.memory.seenAtMs;
  if (gapMs >= run.opened.settings.staleAfterMs) await compare(run, gapMs);
  run.memory.seenAtMs = Date.now();
}

async function compare(run: RunContext, gapMs: number): Promise<void> {
  const { settings, repository } = run.opened;
  const { memory, control, clock } = run;
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
  const question = `The run was away for ${plural(minutes, 'minute')}, and ${what}. Approve to go on, or reject to stop`;
  const stale = { id: 'jig:stale', kind: 'stale' as const, question, who: [], sendBackTo: [] };
  // It is a step of its own: another item may be at work meanwhile.
  const answer = await clock.step(() => clock.wait(() => control.askHuman(stale, settings.humanWaitMs)));
  if (answer?.decision === 'approve') return;
  const code = branchForeign ? 'foreign-commits' : 'base-moved';
  throw new RunEnded({ outcome: 'needs-human', code, reason: `While the run was away, ${what}` });
}
