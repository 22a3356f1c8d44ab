/** Commit statuses as checks. */
import type { z } from 'zod';
import type { Check } from '../contract.ts';
import { BranchAnswer, StatusAnswer } from './answers.ts';
import { split, type Connection } from './connection.ts';

type Status = z.infer<typeof StatusAnswer>;

const states: Record<Status['status'], Check['state']> = {
  pending: 'running',
  success: 'passed',
  skipped: 'passed',
  failure: 'failed',
  warning: 'failed',
  error: 'errored',
};
const maxExcerptBytes = 16 * 1024;

/** The latest status of each context, and the contexts that the base requires and that nobody has reported. */
export async function listChecks(
  gitea: Connection,
  repository: string,
  commit: string,
  base?: string,
): Promise<Check[]> {
  const [owner, name] = split(repository);
  const latest = new Map<string, Status>();
  for await (const status of gitea.pages(StatusAnswer, (page) =>
    gitea.api.repos.repoListStatuses(owner, name, commit, page),
  )) {
    const known = latest.get(status.context);
    if (!known || known.id < status.id) latest.set(status.context, status);
  }
  const reported = [...latest.values()].map(describe);
  const required = base === undefined ? [] : await listRequired(gitea, repository, base);
  const queued = required
    .filter((pattern) => !reported.some((check) => matches(pattern, check.name)))
    .map((pattern): Check => ({ name: pattern, state: 'queued' }));
  return [...reported, ...queued].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function describe({ context, status, description, target_url: url }: Status): Check {
  return {
    name: context,
    state: states[status],
    ...(url !== '' && { url }),
    ...(description !== '' && { logExcerpt: Buffer.from(description).subarray(-maxExcerptBytes).toString() }),
  };
}

async function listRequired(gitea: Connection, repository: string, base: string): Promise<string[]> {
  const branch = await gitea.find(
    BranchAnswer,
    gitea.api.repos.repoGetBranch(...split(repository), encodeURIComponent(base)),
  );
  return branch?.enable_status_check ? branch.status_check_contexts : [];
}

/**
 * Matches Gitea's patterns, with `*` and `?` only. A pattern with anything more matches only itself, so its check is
 * waited for.
 */
function matches(pattern: string, text: string): boolean {
  let [at, star, from] = [0, -1, 0];
  let position = 0;
  while (position < text.length) {
    if (pattern[at] === '*') [star, from, at] = [at, position, at + 1];
    else if (pattern[at] === '?' || pattern[at] === text[position]) [at, position] = [at + 1, position + 1];
    // What follows the last star doesn't match here, so the star takes one more character.
    else if (star >= 0) [from, position, at] = [from + 1, from + 1, star + 1];
    else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
