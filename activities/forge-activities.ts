import { setTimeout as wait } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import type { Check } from '../forge/contract.ts';
import { ForgeFailure } from '../forge/errors.ts';
import { workSignal } from './activity.ts';
import type { CiOutcome, ForgeActivities } from './contract.ts';
import type { Parts } from './parts.ts';
import { getForge } from './run-activities.ts';

const maxExcerptCharacters = 8000;

export function createForgeActivities(parts: Parts): ForgeActivities {
  const { git } = parts;
  return {
    async pushBranch({ repository, commit, branch: wanted, expected }) {
      const access = await accessTo(parts, repository);
      const signal = workSignal();
      // Only the first push may choose another name. Later pushes go to the branch of the open change.
      const branch = expected ? wanted : await git.chooseBranch({ repository, access, commit, branch: wanted }, signal);
      await git.pushBranch({ repository, access, commit, branch, expected }, signal);
      return { branch };
    },
    async ensureChange({ repository, ...wanted }) {
      const { number, url } = await getForge(parts, repository.forge).ensureChange({
        ...wanted,
        repository: repository.name,
        base: repository.branch,
      });
      return { number, url };
    },
    awaitChecks: (request) => awaitChecks(parts, request),
    async comment({ repository, ...wanted }) {
      await getForge(parts, repository.forge).ensureComment({ ...wanted, repository: repository.name });
    },
    async checkFreshness({ repository, head }) {
      const { branch, commit } = repository;
      return git.checkFreshness({
        repository,
        access: await accessTo(parts, repository),
        base: { branch, commit },
        ...(head && { head }),
      });
    },
  };
}

async function accessTo(parts: Parts, repository: Parameters<ForgeActivities['checkFreshness']>[0]['repository']) {
  const forge = getForge(parts, repository.forge);
  return forge.gitAccess(await forge.getRepository(repository.name));
}

/** The longest pause between two requests for the checks. */
const maxPollMs = 15_000;

/**
 * Asks for the checks until each has decided, for a limited time. It is one activity, so that waiting doesn't grow the
 * history. The time counts from when the wait was first requested, whichever try this is. A host that doesn't answer
 * for a while does not end the wait.
 */
async function awaitChecks(
  parts: Parts,
  { repository, commit, waitMs }: Parameters<ForgeActivities['awaitChecks']>[0],
): Promise<CiOutcome> {
  const forge = getForge(parts, repository.forge);
  const signal = workSignal();
  const { scheduledTimestampMs, currentAttemptScheduledTimestampMs } = activityInfo();
  // Each difference is between two readings of the same clock: the server's, then this machine's.
  const startedAtMs = performance.now() - (currentAttemptScheduledTimestampMs - scheduledTimestampMs);
  for (;;) {
    const checks = await forge.listChecks(repository.name, commit, repository.branch).catch(returnIfRetryable);
    const waitedMs = performance.now() - startedAtMs;
    if (Array.isArray(checks)) {
      if (checks.length === 0 && (!forge.capabilities.ownCi || waitedMs >= parts.ciGraceMs))
        return { state: 'none', checks, excerpt: '' };
      if (checks.length > 0 && checks.every(isDecided)) return decided(checks);
      if (waitedMs >= waitMs) return { state: 'timeout', checks: checks.map(withoutLog), excerpt: '' };
    } else if (waitedMs >= waitMs) throw checks;
    // The pause grows with the time waited. A host may also say when to ask again.
    const pauseMs = Math.max(
      parts.ciPollMs,
      Math.min(waitedMs / 20, maxPollMs),
      Array.isArray(checks) ? 0 : (checks.retryAfterMs ?? 0),
    );
    await wait(Math.min(pauseMs, waitMs - waitedMs), undefined, { signal }).catch(() => {
      throw signal.reason;
    });
  }
}

function returnIfRetryable(error: unknown): ForgeFailure {
  if (error instanceof ForgeFailure && error.retryable) return error;
  throw error;
}

const isDecided = ({ state }: Check): boolean => state === 'passed' || state === 'failed' || state === 'errored';
const withoutLog = ({ logExcerpt: _, ...check }: Check): Check => check;

function decided(checks: Check[]): CiOutcome {
  const failed = checks.filter(({ state }) => state !== 'passed');
  const excerpt = failed
    .map(({ name, logExcerpt = '' }) => `${name}:\n${logExcerpt}`)
    .join('\n\n')
    .slice(-maxExcerptCharacters);
  const shown = checks.map((check) =>
    check.logExcerpt ? { ...check, logExcerpt: check.logExcerpt.slice(-4000) } : check,
  );
  return { state: failed.length === 0 ? 'passed' : 'failed', checks: shown, excerpt };
}
