/** Commit statuses as checks. */
import type { z } from 'zod';
import type { Check } from '../contract.ts';
import { StatusAnswer } from './answers.ts';
import { split, type Connection } from './connection.ts';

const states: Record<z.infer<typeof StatusAnswer>['status'], Check['state']> = {
  pending: 'running', success: 'passed', skipped: 'passed', failure: 'failed', warning: 'failed', error: 'errored',
};
const maxExcerptBytes = 16 * 1024;

/** The latest status of each context; a commit that the server does not know has none. */
export async function listChecks(gitea: Connection, repository: string, commit: string): Promise<Check[]> {
  const [owner, name] = split(repository);
  const latest = new Map<string, z.infer<typeof StatusAnswer>>();
  for await (const status of gitea.pages(StatusAnswer, (page) => gitea.api.repos.repoListStatuses(owner, name, commit, page))) {
    const known = latest.get(status.context);
    if (!known || known.id < status.id) latest.set(status.context, status);
  }
  return [...latest.values()].toSorted((one, other) => (one.context < other.context ? -1 : 1)).map(({ context, status, description, target_url: url }) => ({
    name: context,
    state: states[status],
    ...(url !== '' && { url }),
    ...(description !== '' && { logExcerpt: Buffer.from(description).subarray(-maxExcerptBytes).toString() }),
  }));
}
