/**
 * The contract of a code host. Every write is repeatable: it finds what is there by its marker, compares, and then
 * writes.
 */
import { z } from 'zod';

/** `owner/name` on one forge. */
export const RepositoryName = z.string().regex(/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/);

export const Repository = z.strictObject({
  forge: z.string(),
  name: RepositoryName,
  /** What trusted git clones and pushes to: a URL or a path, without credentials. */
  cloneUrl: z.string(),
  defaultBranch: z.string(),
  archived: z.boolean(),
  empty: z.boolean(),
});
export type Repository = z.infer<typeof Repository>;

export const Change = z.strictObject({
  number: z.number().int().positive(),
  /** The address of its page. */
  url: z.string(),
  state: z.enum(['open', 'merged', 'closed']),
  draft: z.boolean(),
  title: z.string(),
  body: z.string(),
  branch: z.string(),
  base: z.string(),
  headCommit: z.string(),
  labels: z.array(z.string()),
});
export type Change = z.infer<typeof Change>;

export const Check = z.strictObject({
  name: z.string(),
  state: z.enum(['queued', 'running', 'passed', 'failed', 'errored']),
  url: z.string().optional(),
  /** The end of the log, at most 16 KB. Untrusted. */
  logExcerpt: z.string().optional(),
});
export type Check = z.infer<typeof Check>;

interface ForgeCapabilities {
  drafts: boolean;
  labels: boolean;
  /** Whether somebody other than Jig runs the checks. */
  ownCi: boolean;
}

/** A code host. Every method throws a ForgeFailure if the host refuses or can't be reached. */
export interface Forge {
  readonly name: string;
  readonly capabilities: ForgeCapabilities;
  /** Finds a repository. @throws ForgeFailure */
  getRepository(name: string): Promise<Repository>;
  /** The environment for a clone or a push. Credentials are only here, never in a URL or an argument. */
  gitAccess(repository: Repository): Promise<{ env: Record<string, string> }>;
  /** Opens the change, or finds it by its branch and marker, and updates title, body and draft. Repeatable. */
  ensureChange(wanted: {
    repository: string;
    branch: string;
    base: string;
    marker: string;
    title: string;
    body: string;
    draft: boolean;
    labels: string[];
  }): Promise<Change>;
  findChange(repository: string, by: { branch: string } | { number: number }): Promise<Change | undefined>;
  listChanges(repository: string, filter?: { state?: Change['state'] }): Promise<Change[]>;
  /** Writes the comment with this marker. Repeatable. */
  ensureComment(wanted: { repository: string; number: number; marker: string; body: string }): Promise<void>;
  /**
   * The present checks of a commit; empty if none is known. A check that the branch `base` requires and that nobody has
   * reported is `queued`.
   */
  listChecks(repository: string, commit: string, base?: string): Promise<Check[]>;
  closeChange(repository: string, number: number, reason: string): Promise<Change>;
}
