/**
 * Trusted git: mirrors in a cache, checkouts into sandboxes, commits out of them.
 * Nothing here ever runs git in a tree that an agent touched.
 */
import { z } from 'zod';

export const Commit = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
export type Commit = z.infer<typeof Commit>;

export const ExportPolicy = z.strictObject({
  maxFiles: z.number().int(),
  maxBytes: z.number().int(),
  /** Globs that no change may touch. */
  protectedPaths: z.array(z.string()),
  /** Globs that a change may touch; undefined: all but the protected. */
  allowedPaths: z.array(z.string()).optional(),
});
export type ExportPolicy = z.infer<typeof ExportPolicy>;

export const FileChange = z.strictObject({
  path: z.string(),
  status: z.enum(['added', 'modified', 'deleted', 'type-changed']),
  oldMode: z.string(),
  newMode: z.string(),
  sizeBytes: z.number().int(),
});
export type FileChange = z.infer<typeof FileChange>;

/** A commit that the trusted side made in quarantine from the tree that came out of a sandbox. */
export const ExportedCommit = z.strictObject({
  /** undefined: the tree equals the base's, there is nothing to change. */
  commit: Commit.optional(),
  base: Commit,
  files: z.array(FileChange),
  insertions: z.number().int(),
  deletions: z.number().int(),
});
export type ExportedCommit = z.infer<typeof ExportedCommit>;

export const gitRefusalKinds = [
  'repository-empty', 'repository-not-found', 'repository-unreachable', 'bundle-corrupt', 'too-many-files', 'too-large', 'protected-path',
  'path-not-allowed', 'unsafe-path', 'unsafe-symlink', 'submodule', 'mode-change', 'lfs-pointer', 'foreign-commits', 'base-moved',
] as const;
export type GitRefusalKind = (typeof gitRefusalKinds)[number];

/** Git, or a policy on what git brought, said no. `paths` are untrusted text. */
export class GitRefusal extends Error {
  override name = 'GitRefusal';
  readonly kind: GitRefusalKind;
  readonly paths: string[];
  readonly retryable: boolean;
  constructor(kind: GitRefusalKind, message: string, options: { paths?: string[]; retryable?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.paths = options.paths ?? [];
    this.retryable = options.retryable ?? false;
  }
}
