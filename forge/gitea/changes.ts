/** Pull requests as changes: found by branch and hidden marker, compared, then written. */
import type { Change, Forge } from '../contract.ts';
import { ForgeFailure } from '../errors.ts';
import { carriesMarker, withMarker, withoutMarker } from '../hidden-marker.ts';
import { neutralize, neutralizeTitle } from '../neutralize.ts';
import { PullAnswer } from './answers.ts';
import { ensureComment } from './comments.ts';
import { split, type Connection } from './connection.ts';
import { ensureLabels } from './labels.ts';

type WantedChange = Parameters<Forge['ensureChange']>[0];

/** The default prefixes of drafts. A server's settings may have others. */
const draftPrefixes = ['WIP:', '[WIP]'];

/** Opens the change or finds it, and updates title, body, draft and labels. Repeatable. */
export async function ensureChange(gitea: Connection, wanted: WantedChange): Promise<Change> {
  return gitea.oneAtATime(`change ${wanted.repository} ${wanted.branch}`, async () => {
    const pull = (await findOwn(gitea, wanted)) ?? (await openPull(gitea, wanted));
    if (pull.state !== 'open') return describe(gitea, pull);
    const change = describe(gitea, await updatePull(gitea, wanted, pull));
    if (wanted.draft && !change.draft)
      throw new ForgeFailure(
        'forge-refused',
        `${gitea.name} treats change ${change.number} as ready for review, though its title begins with ${JSON.stringify(gitea.draftPrefix)}: set forges.${gitea.name}.draftPrefix to one of its WORK_IN_PROGRESS_PREFIXES.`,
      );
    return change;
  });
}

/**
 * Finds the run's own change. @throws ForgeFailure `forge-conflict` if the branch has an open change of somebody else
 */
async function findOwn(gitea: Connection, wanted: WantedChange): Promise<PullAnswer | undefined> {
  const onBranch = await listOnBranch(gitea, wanted);
  const own = onBranch
    .filter(({ body }) => carriesMarker(wanted.marker, body))
    .toSorted((one, other) => one.number - other.number);
  const foreign = onBranch.find(({ state }) => state === 'open');
  if (own.length === 0 && foreign)
    throw new ForgeFailure(
      'forge-conflict',
      `The branch ${wanted.branch} already has the open change ${foreign.number}, which another run made.`,
    );
  return own[0];
}

/** The changes from this branch that matter: the open ones, and the one that may be the run's own, in any state. */
async function listOnBranch(
  gitea: Connection,
  { repository, branch, base, marker }: WantedChange,
): Promise<PullAnswer[]> {
  const [owner, name] = split(repository);
  // This finds one of all changes from this branch to this base. If there is none, only open changes to another base
  // are left to look at.
  const found = await gitea.find(
    PullAnswer,
    gitea.api.repos.repoGetPullRequestByBaseHead(owner, name, encodeURIComponent(base), encodeURIComponent(branch)),
  );
  if (found && isFrom(branch, found) && carriesMarker(marker, found.body)) return [found];
  const all: PullAnswer[] = [];
  for await (const pull of listPulls(gitea, repository, found ? 'all' : 'open'))
    if (isFrom(branch, pull)) all.push(pull);
  return all;
}

/** Whether a change is from this branch. A branch of the same name in a fork is another branch. */
function isFrom(branch: string, { head, base }: PullAnswer): boolean {
  return head.ref === branch && head.repo_id === base.repo_id;
}

async function openPull(gitea: Connection, wanted: WantedChange): Promise<PullAnswer> {
  const { repository, branch: head, base } = wanted;
  const labels = await ensureLabels(gitea, repository, wanted.labels);
  try {
    const made = await gitea.ask(
      PullAnswer,
      gitea.api.repos.repoCreatePullRequest(...split(repository), { head, base, ...textOf(gitea, wanted), labels }),
    );
    return await closeDuplicate(gitea, wanted, made);
  } catch (error) {
    // The answer may be lost, or somebody was faster. What the server has now counts.
    const made = await findOwn(gitea, wanted).catch(() => undefined);
    if (made) return made;
    throw error;
  }
}

/**
 * Closes a duplicate: the server checks and writes in two steps, so two processes may both have opened a change. The
 * first one stays.
 */
async function closeDuplicate(
  gitea: Connection,
  { repository, branch, marker }: WantedChange,
  made: PullAnswer,
): Promise<PullAnswer> {
  let first = made;
  for await (const pull of listPulls(gitea, repository, 'open'))
    if (isFrom(branch, pull) && carriesMarker(marker, pull.body) && pull.number < first.number) first = pull;
  if (first !== made)
    await edit(gitea, repository, made.number, {
      state: 'closed',
      body: 'Opened twice at the same moment; the other one stays.',
    });
  return first;
}

async function updatePull(gitea: Connection, wanted: WantedChange, pull: PullAnswer): Promise<PullAnswer> {
  const { title, body } = textOf(gitea, wanted);
  const missing = wanted.labels.filter((label) => !pull.labels.some(({ name }) => name === label));
  if (pull.title === title && pull.body === body && missing.length === 0) return pull;
  // Labels that people added stay.
  const labels =
    missing.length === 0
      ? {}
      : { labels: [...pull.labels.map(({ id }) => id), ...(await ensureLabels(gitea, wanted.repository, missing))] };
  return edit(gitea, wanted.repository, pull.number, { title, body, ...labels });
}

function edit(
  gitea: Connection,
  repository: string,
  number: number,
  changes: { title?: string; body?: string; labels?: number[]; state?: 'closed' },
): Promise<PullAnswer> {
  return gitea.ask(PullAnswer, gitea.api.repos.repoEditPullRequest(...split(repository), number, changes));
}

function textOf(
  { draftPrefix }: Connection,
  { title, body, draft, marker }: WantedChange,
): { title: string; body: string } {
  const plain = withoutDraftPrefix(neutralizeTitle(title), draftPrefix) || 'Untitled';
  return { title: draft ? `${draftPrefix}${plain}` : plain, body: withMarker(marker, neutralize(body)) };
}

function withoutDraftPrefix(title: string, own: string): string {
  const prefix = [own.trim(), ...draftPrefixes].find((each) => title.toUpperCase().startsWith(each.toUpperCase()));
  return prefix ? withoutDraftPrefix(title.slice(prefix.length).trimStart(), own) : title;
}

/** Finds a change by its number or branch, an open one before a closed one. */
export async function findChange(
  gitea: Connection,
  repository: string,
  by: { branch: string } | { number: number },
): Promise<Change | undefined> {
  if ('number' in by) {
    const pull = await gitea.find(PullAnswer, gitea.api.repos.repoGetPullRequest(...split(repository), by.number));
    return pull && describe(gitea, pull);
  }
  // Open changes come first, since a branch may have had others before.
  for (const state of ['open', 'closed'] as const) {
    for await (const pull of listPulls(gitea, repository, state))
      if (isFrom(by.branch, pull)) return describe(gitea, pull);
  }
  return undefined;
}

export async function listChanges(gitea: Connection, repository: string, state?: Change['state']): Promise<Change[]> {
  const changes: Change[] = [];
  // For the server, a merged change is a closed one.
  for await (const pull of listPulls(gitea, repository, state === 'merged' ? 'closed' : (state ?? 'all')))
    changes.push(describe(gitea, pull));
  return changes.filter((change) => state === undefined || change.state === state);
}

/** Newest first. */
function listPulls(
  gitea: Connection,
  repository: string,
  state: 'open' | 'closed' | 'all',
): AsyncGenerator<PullAnswer> {
  const [owner, name] = split(repository);
  return gitea.pages(PullAnswer, (page) => gitea.api.repos.repoListPullRequests(owner, name, { state, ...page }));
}

/** Closes a change. A merged one stays merged. Repeatable. */
export async function closeChange(
  gitea: Connection,
  repository: string,
  number: number,
  reason: string,
): Promise<Change> {
  const get = () => gitea.ask(PullAnswer, gitea.api.repos.repoGetPullRequest(...split(repository), number));
  const pull = await get();
  if (pull.state !== 'open') return describe(gitea, pull);
  await ensureComment(gitea, { repository, number, marker: 'closed', body: `Closed: ${reason}` });
  try {
    return describe(gitea, await edit(gitea, repository, number, { state: 'closed' }));
  } catch (error) {
    // Somebody may have merged it meanwhile.
    const now = error instanceof ForgeFailure && error.code === 'forge-conflict' ? await get() : undefined;
    if (now && now.state !== 'open') return describe(gitea, now);
    throw error;
  }
}

function describe(
  { draftPrefix }: Connection,
  { number, html_url: url, state, merged, draft, title, body, head, base, labels }: PullAnswer,
): Change {
  return {
    number,
    url,
    draft,
    state: merged ? 'merged' : state,
    title: withoutDraftPrefix(title, draftPrefix),
    body: withoutMarker(body),
    branch: head.ref,
    base: base.ref,
    headCommit: head.sha,
    labels: labels.map(({ name }) => name),
  };
}
