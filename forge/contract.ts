/** What Jig asks of a code host. Every write is repeatable: found by its marker, compared, then written. */
import { z } from 'zod';

/** `owner/name` on one forge. */
export const RepositoryName = z.string().regex(/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/);

export const Repository = z.strictObject({
  forge: z.string(),
  name: RepositoryName,
  /** What trusted git clones and pushes: a URL or a path, without credentials in it. */
  cloneUrl: z.string(),
  defaultBranch: z.string(),
  archived: z.boolean(),
  empty: z.boolean(),
});
export type Repository = z.infer<typeof Repository>;

export const Change = z.strictObject({
  number: z.number().int().positive(),
  /** Where a person looks at it. */
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
  /** The last part of the log, at most 16 KB; untrusted. */
  logExcerpt: z.string().optional(),
});
export type Check = z.infer<typeof Check>;

interface ForgeCapabilities {
  drafts: boolean;
  labels: boolean;
  /** Whether somebody other than Jig runs the checks. */
  ownCi: boolean;
}

export interface Forge {
  readonly name: string;
  readonly capabilities: ForgeCapabilities;
  /** @throws RepositoryNotFound, ForgeUnauthorized, ForgeUnavailable */
  getRepository(name: string): Promise<Repository>;
  /** Extra environment and git options for a clone or push; credentials live only here and never in a URL or an argument. */
  gitAccess(repository: Repository): Promise<{ env: Record<string, string> }>;
  /** Opens the change or finds it by its branch and marker, and brings title, body and draft up to date; repeatable. */
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
  /** Writes the comment that carries this marker, once. */
  ensureComment(wanted: { repository: string; number: number; marker: string; body: string }): Promise<void>;
  /** The checks of a commit as they stand now. Empty where none is known; those that the branch `base` requires and nobody has reported are `queued`. */
  listChecks(repository: string, commit: string, base?: string): Promise<Check[]>;
  closeChange(repository: string, number: number, reason: string): Promise<Change>;
}
