/** The changes of the local forge: opened once, updated, reviewed, merged or closed. */
import { pathToFileURL } from 'node:url';
import type { Change, Forge } from '../contract.ts';
import { ForgeFailure } from '../errors.ts';
import { findCommit, isAncestor, mergeBranch, type BareGit } from './bare-repository.ts';
import type { ChangeRecord, LocalState } from './state.ts';

export interface Changes {
  state: LocalState;
  git: BareGit;
  /** The author of Jig's changes, who can't approve any. */
  author: string;
}

type WantedChange = Parameters<Forge['ensureChange']>[0];

/** Opens the change with this branch and marker, or finds it in any state. */
export async function ensureChange(changes: Changes, wanted: WantedChange): Promise<ChangeRecord> {
  const { state, author } = changes;
  const { archived } = await state.getRepository(wanted.repository);
  if (archived) throw new ForgeFailure('forge-refused', `${wanted.repository} is archived.`);
  await getHead(changes, wanted.repository, wanted.branch);
  await getHead(changes, wanted.repository, wanted.base);
  const number = await ensureNumber(changes, wanted);
  const { branch, base, title, body, draft, labels } = wanted;
  return state.change(wanted.repository, number).update((current) => {
    if (!current)
      return { number, author, state: 'open', draft, title, body, branch, base, labels, comments: [], approvals: [] };
    const isUpToDate =
      current.title === title &&
      current.body === body &&
      current.draft === draft &&
      current.labels.join('\n') === labels.join('\n');
    return current.state !== 'open' || isUpToDate ? current : { ...current, title, body, draft, labels };
  });
}

/**
 * The number of the change with this branch and marker, which never changes: the list of changes is written before any
 * change is.
 */
async function ensureNumber({ state }: Changes, { repository, branch, marker }: WantedChange): Promise<number> {
  const isWanted = (entry: { branch: string; marker: string }) => entry.branch === branch && entry.marker === marker;
  const written = await state.repository(repository).update(async (current) => {
    if (!current) throw new ForgeFailure('forge-not-found', `${repository} is gone.`);
    if (current.changes.some(isWanted)) return current;
    for (const [index, entry] of current.changes.entries()) {
      const other = entry.branch === branch ? await state.change(repository, index + 1).find() : undefined;
      if (other?.state === 'open')
        throw new ForgeFailure(
          'forge-conflict',
          `The branch ${branch} already has the open change ${index + 1}, which another run made.`,
        );
    }
    return { ...current, changes: [...current.changes, { branch, marker }] };
  });
  return written.changes.findIndex(isWanted) + 1;
}

export async function listChanges({ state }: Changes, repository: string): Promise<ChangeRecord[]> {
  const { changes } = await state.getRepository(repository);
  const found = await Promise.all(changes.map((_, index) => state.change(repository, index + 1).find()));
  return found.filter((change) => change !== undefined);
}

export async function approve(changes: Changes, repository: string, number: number, by: string): Promise<ChangeRecord> {
  return updateOpen(changes, repository, number, async (change) => {
    if (by === change.author)
      throw new ForgeFailure(
        'forge-refused',
        `${by} is the author of change ${number}, and authors can't approve their own changes.`,
      );
    const commit = await getHead(changes, repository, change.branch);
    if (change.approvals.some((approval) => approval.by === by && approval.commit === commit)) return change;
    return { ...change, approvals: [...change.approvals, { by, at: now(), commit }] };
  });
}

/** Merges a change. An approval is for one commit, so a later push needs another one. */
export async function merge(
  changes: Changes,
  repository: string,
  number: number,
  by: string,
  { unapproved = false } = {},
): Promise<ChangeRecord> {
  const { state, git } = changes;
  const change = await state.getChange(repository, number);
  if (change.state === 'merged') return change;
  if (change.state === 'closed') throw new ForgeFailure('forge-conflict', `Change ${number} is closed.`);
  const gitDir = state.gitDir(repository);
  const head = await getHead(changes, repository, change.branch);
  const base = await getHead(changes, repository, change.base);
  // A merge that a crash interrupted has already moved the base and only needs to be recorded.
  if (
    !(await isAncestor(git, gitDir, head, base)) &&
    !unapproved &&
    !change.approvals.some(({ commit }) => commit === head)
  ) {
    throw new ForgeFailure('forge-refused', `Change ${number} is not approved at its current commit.`);
  }
  await mergeBranch(git, gitDir, { base: change.base, head, message: `Merge change ${number}: ${change.title}\n` });
  return updateOpen(changes, repository, number, (open) => ({
    ...open,
    state: 'merged',
    ended: { head, base, by, reason: 'merged' },
  }));
}

/** Closes a change. A merged one stays merged. Repeatable. */
export async function closeChange(
  changes: Changes,
  repository: string,
  number: number,
  by: string,
  reason: string,
): Promise<ChangeRecord> {
  const change = await changes.state.getChange(repository, number);
  if (change.state !== 'open') return change;
  const gitDir = changes.state.gitDir(repository);
  const head = (await findCommit(changes.git, gitDir, change.branch)) ?? '';
  const base = (await findCommit(changes.git, gitDir, change.base)) ?? '';
  return updateOpen(changes, repository, number, (open) => ({
    ...open,
    state: 'closed',
    ended: { head, base, by, reason },
  }));
}

/** Adds a remark. One with a marker is added only once. */
export async function addComment(
  { state }: Changes,
  repository: string,
  number: number,
  remark: { by: string; body: string; marker?: string },
): Promise<ChangeRecord> {
  await state.getChange(repository, number);
  return state.change(repository, number).update((change) => {
    if (!change) throw new ForgeFailure('forge-not-found', `${repository} has no change ${number}.`);
    const written =
      remark.marker === undefined ? undefined : change.comments.find(({ marker }) => marker === remark.marker);
    if (!written) return { ...change, comments: [...change.comments, { ...remark, at: now() }] };
    if (written.body === remark.body) return change;
    return {
      ...change,
      comments: change.comments.map((comment) => (comment === written ? { ...comment, body: remark.body } : comment)),
    };
  });
}

/** The change in the contract's form, with the present head of its branch. */
export async function describeChange(
  { state, git }: Changes,
  repository: string,
  change: ChangeRecord,
): Promise<Change> {
  const { number, state: changeState, draft, title, body, branch, base, labels } = change;
  const headCommit = change.ended?.head ?? (await findCommit(git, state.gitDir(repository), branch)) ?? '';
  return {
    number,
    url: pathToFileURL(state.pagePath(repository, number)).href,
    state: changeState,
    draft,
    title,
    body,
    branch,
    base,
    headCommit,
    labels,
  };
}

async function getHead({ state, git }: Changes, repository: string, branch: string): Promise<string> {
  const commit = await findCommit(git, state.gitDir(repository), branch);
  if (!commit) throw new ForgeFailure('forge-refused', `${repository} has no branch ${JSON.stringify(branch)}.`);
  return commit;
}

async function updateOpen(
  { state }: Changes,
  repository: string,
  number: number,
  update: (change: ChangeRecord) => ChangeRecord | Promise<ChangeRecord>,
): Promise<ChangeRecord> {
  return state.change(repository, number).update((change) => {
    if (!change) throw new ForgeFailure('forge-not-found', `${repository} has no change ${number}.`);
    if (change.state !== 'open') throw new ForgeFailure('forge-conflict', `Change ${number} is ${change.state}.`);
    return update(change);
  });
}

function now(): string {
  return new Date().toISOString();
}
