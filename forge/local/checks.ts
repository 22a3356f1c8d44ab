/** The queue of checks. The forge keeps it; a worker takes a check, runs it in a sandbox and reports the result. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { hasEnded, identifySelf } from '../../base/process-identity.ts';
import type { Check } from '../contract.ts';
import { ForgeFailure } from '../errors.ts';
import { listHeads } from './bare-repository.ts';
import { listChanges, type Changes } from './changes.ts';
import type { CheckRecord } from './state.ts';

export interface CheckClaim {
  repository: string;
  commit: string;
  id: string;
}

export interface QueuedCheck {
  repository: string;
  commit: string;
  name: string;
  command: string[];
  setup: string[][];
  claim: CheckClaim;
}

export interface FinishedCheck {
  state: 'passed' | 'failed' | 'errored';
  logExcerpt: string;
}

const maxLogExcerptBytes = 16 * 1024;

/** Queues a check for the commit if the repository has a check command and the commit has no check yet. */
async function queueCheck({ state }: Changes, repository: string, commit: string): Promise<void> {
  const { check } = await state.getRepository(repository);
  if (check)
    await state.check(repository, commit).update((current) => current ?? { name: check.name, state: 'queued' });
}

/**
 * Lists a commit's checks. This also queues checks for the heads of open changes, because the forge isn't told of a
 * push.
 */
export async function listChecks(changes: Changes, repository: string, commit: string): Promise<Check[]> {
  if ((await listOpenHeads(changes, repository)).includes(commit)) await queueCheck(changes, repository, commit);
  const check = await changes.state.check(repository, commit).find();
  if (!check) return [];
  return [
    { name: check.name, state: check.state, ...(check.logExcerpt !== undefined && { logExcerpt: check.logExcerpt }) },
  ];
}

/** Takes one check that waits, or whose claim was lost because its owner died or the claim expired. */
export async function takeQueuedCheck(
  changes: Changes,
  repositories: string[],
  leaseMs: number,
): Promise<QueuedCheck | undefined> {
  for (const repository of repositories) {
    const { check } = await changes.state.getRepository(repository);
    for (const commit of check ? await listOpenHeads(changes, repository) : []) {
      const id = randomUUID();
      const record = changes.state.check(repository, commit);
      if (!(await record.find())) await queueCheck(changes, repository, commit);
      const seen = await record.find();
      if (!check || !seen || !(await isFree(seen))) continue;
      const claim = { ...(await identifySelf()), id, expiresAt: new Date(Date.now() + leaseMs).toISOString() };
      // If several processes saw it free, only one takes it.
      const taken = await record.update((current = seen) =>
        isDeepStrictEqual(current, seen) ? { ...current, state: 'running', claim } : current,
      );
      if (taken.claim?.id === id) return { repository, commit, ...check, claim: { repository, commit, id } };
    }
  }
  return undefined;
}

/** Records a check's result. Repeatable. @throws ForgeFailure `forge-conflict` if somebody else has the claim now */
export async function finishCheck(
  { state }: Changes,
  { repository, commit, id }: CheckClaim,
  outcome: FinishedCheck,
): Promise<void> {
  await state.check(repository, commit).update((current) => {
    if (current?.claim?.id !== id)
      throw new ForgeFailure('forge-conflict', `The check of ${commit} has been handed to somebody else meanwhile.`);
    if (current.state !== 'running') return current;
    return { ...current, state: outcome.state, logExcerpt: tail(outcome.logExcerpt) };
  });
}

async function listOpenHeads(changes: Changes, repository: string): Promise<string[]> {
  const open = (await listChanges(changes, repository)).filter((change) => change.state === 'open');
  if (open.length === 0) return [];
  const heads = await listHeads(changes.git, changes.state.gitDir(repository));
  return open.map((change) => heads.get(change.branch)).filter((head) => head !== undefined);
}

async function isFree({ state, claim }: CheckRecord): Promise<boolean> {
  if (state !== 'running' || !claim) return state === 'queued';
  return Date.parse(claim.expiresAt) < Date.now() || (await hasEnded(claim));
}

function tail(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxLogExcerptBytes) return text;
  // A cut in the middle of a character leaves continuation bytes at the start.
  let start = bytes.length - maxLogExcerptBytes;
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start).toString();
}
