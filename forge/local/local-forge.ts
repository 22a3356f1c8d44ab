/** A forge in a folder on this machine: bare repositories with changes, reviews, comments and checks. */
import { resolve } from 'node:path';
import { plural } from '../../base/plural.ts';
import type { Change, Forge, Repository } from '../contract.ts';
import { neutralize, neutralizeTitle } from '../neutralize.ts';
import { createBareGit, readDiff, readPatch } from './bare-repository.ts';
import {
  addComment,
  approve,
  closeChange,
  describeChange,
  ensureChange,
  listChanges,
  merge,
  type Changes,
} from './changes.ts';
import {
  finishCheck,
  listChecks,
  takeQueuedCheck,
  type CheckClaim,
  type FinishedCheck,
  type QueuedCheck,
} from './checks.ts';
import { ForgeFailure } from '../errors.ts';
import type { Followed } from './follow-source.ts';
import { renderPage, writePage } from './page.ts';
import {
  ensureRepository,
  getRepository,
  listBranches,
  removeRepository,
  setCheck,
  updateRepository,
  type WantedRepository,
} from './repositories.ts';
import { createState, type Approval, type ChangeRecord, type Remark, type RepositoryCheck } from './state.ts';
import type { z } from 'zod';

/** What people and the demo need beyond the contract of a forge. Everything may be repeated and throws ForgeFailure. */
export interface LocalForge extends Forge {
  ensureRepository(wanted: WantedRepository): Promise<Repository>;
  listRepositories(): Promise<string[]>;
  listBranches(repository: string): Promise<string[]>;
  /**
   * Brings all branches of its source up to date, and says what became of each. `from` is the source's new place.
   * `force` also gives up what was merged here. Also throws JigError `source-unusable`.
   */
  updateRepository(repository: string, options?: { from?: string | undefined; force?: boolean }): Promise<Followed[]>;
  /** Removes a repository with its changes; with open ones only if `force` is set. Repeatable. */
  removeRepository(repository: string, options?: { force?: boolean }): Promise<void>;
  /** Sets what runs as the repository's CI; undefined for nothing. */
  setCheck(repository: string, check: z.input<typeof RepositoryCheck> | undefined): Promise<void>;
  approve(repository: string, number: number, by: string): Promise<Change>;
  /** Merges a change. This needs an approval of the present commit, unless `unapproved` is set. */
  merge(repository: string, number: number, by: string, options?: { unapproved?: boolean }): Promise<Change>;
  addComment(repository: string, number: number, remark: { by: string; body: string }): Promise<void>;
  listComments(repository: string, number: number): Promise<Remark[]>;
  listApprovals(repository: string, number: number): Promise<Approval[]>;
  /** What a change changes, for people. */
  getDiff(repository: string, number: number): Promise<string>;
  /** The same as `git diff --binary --full-index` has it, byte for byte. */
  getPatch(repository: string, number: number): Promise<Uint8Array>;
  /** Takes a check to run. The claim is lost after `leaseMs`, or when this process dies. */
  takeQueuedCheck(repository?: string, options?: { leaseMs?: number }): Promise<QueuedCheck | undefined>;
  finishCheck(claim: CheckClaim, outcome: FinishedCheck): Promise<void>;
}

const defaultLeaseMs = 15 * 60_000;

export function createLocalForge({
  rootDir,
  git: { gitPath } = {},
  name = 'local',
  author = 'jig',
}: {
  rootDir: string;
  git?: { gitPath?: string };
  name?: string;
  author?: string;
}): LocalForge {
  const state = createState(resolve(rootDir));
  const git = createBareGit(gitPath);
  const changes: Changes = { state, git, author };

  /** Writes the change's page, and returns the change as it is now. */
  const show = async (repository: string, { number }: { number: number }): Promise<Change> => {
    const record = await state.getChange(repository, number);
    const change = await describeChange(changes, repository, record);
    const checks = await listChecks(changes, repository, change.headCommit);
    await writePage(
      state.pagePath(repository, number),
      renderPage({ repository, gitDir: state.gitDir(repository), change, record, checks }),
    );
    return change;
  };
  const endsOf = async (repository: string, number: number): Promise<[gitDir: string, base: string, head: string]> => {
    const { ended, base, branch } = await state.getChange(repository, number);
    return [state.gitDir(repository), ended?.base ?? `refs/heads/${base}`, ended?.head ?? `refs/heads/${branch}`];
  };
  const describeAll = async (repository: string, records: ChangeRecord[]) =>
    Promise.all(records.map((record) => describeChange(changes, repository, record)));

  return {
    name,
    capabilities: { drafts: true, labels: true, ownCi: false },
    getRepository: (repository) => getRepository(state, git, name, repository),
    gitAccess: async () => ({ env: {} }),
    ensureRepository: (wanted) => ensureRepository(state, git, name, wanted),
    listRepositories: () => state.listRepositories(),
    listBranches: (repository) => listBranches(state, git, repository),
    async updateRepository(repository, options) {
      const open = (await listChanges(changes, repository)).filter((change) => change.state === 'open');
      const inUse = open.flatMap(({ branch, base }) => [branch, base]);
      return updateRepository(state, git, { name: repository, inUse, ...options });
    },
    async removeRepository(repository, { force = false } = {}) {
      const open = (await listChanges(changes, repository)).filter((change) => change.state === 'open');
      if (open.length > 0 && !force)
        throw new ForgeFailure(
          'forge-refused',
          `${repository} has ${plural(open.length, 'open change')}, and only --force removes a repository with open changes.`,
        );
      await removeRepository(state, repository);
    },
    setCheck: (repository, check) => setCheck(state, repository, check),

    ensureChange: async (wanted) =>
      show(
        wanted.repository,
        await ensureChange(changes, { ...wanted, title: neutralizeTitle(wanted.title), body: neutralize(wanted.body) }),
      ),
    async findChange(repository, by) {
      const found = await listChanges(changes, repository);
      const record =
        'number' in by
          ? found.find(({ number }) => number === by.number)
          : (found.findLast((change) => change.branch === by.branch && change.state === 'open') ??
            found.findLast(({ branch }) => branch === by.branch));
      return record && describeChange(changes, repository, record);
    },
    listChanges: async (repository, filter = {}) =>
      describeAll(
        repository,
        (await listChanges(changes, repository)).filter((change) => !filter.state || change.state === filter.state),
      ),
    closeChange: async (repository, number, reason) =>
      show(repository, await closeChange(changes, repository, number, author, reason)),
    approve: async (repository, number, by) => show(repository, await approve(changes, repository, number, by)),
    merge: async (repository, number, by, options) =>
      show(repository, await merge(changes, repository, number, by, options)),

    async ensureComment({ repository, number, marker, body }) {
      await show(
        repository,
        await addComment(changes, repository, number, { by: author, body: neutralize(body), marker }),
      );
    },
    async addComment(repository, number, remark) {
      await show(repository, await addComment(changes, repository, number, remark));
    },
    listComments: async (repository, number) => (await state.getChange(repository, number)).comments,
    listApprovals: async (repository, number) => (await state.getChange(repository, number)).approvals,
    getDiff: async (repository, number) => readDiff(git, ...(await endsOf(repository, number))),
    getPatch: async (repository, number) => readPatch(git, ...(await endsOf(repository, number))),

    listChecks: (repository, commit) => listChecks(changes, repository, commit),
    takeQueuedCheck: async (repository, { leaseMs = defaultLeaseMs } = {}) =>
      takeQueuedCheck(changes, repository ? [repository] : await state.listRepositories(), leaseMs),
    async finishCheck(claim, outcome) {
      await finishCheck(changes, claim, outcome);
      for (const record of await listChanges(changes, claim.repository))
        if (record.state === 'open') await show(claim.repository, record);
    },
  };
}
