/**
 * Trusted git: mirrors in a cache, checkouts into sandboxes, commits out of them.
 * Nothing here ever runs git in a tree that an agent touched.
 */
import { z } from 'zod';
import { JigError } from '../base/errors.ts';

export const Commit = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
export type Commit = z.infer<typeof Commit>;

export const ExportPolicy = z.strictObject({
  maxFiles: z.number().int(),
  maxBytes: z.number().int(),
  /** Globs that no change may touch. */
  protectedPaths: z.array(z.string()),
  /** Globs that a change may touch; undefined: all but the protected. */
  allowedPaths: z.array(z.string()).optional(),
  /** What is refused unless it stands here: `executable` an existing file that becomes 755, `lfs-pointer` a new Git LFS pointer. */
  allow: z.array(z.enum(['executable', 'lfs-pointer'])).optional(),
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

export const DiffStat = z.strictObject({
  files: z.array(FileChange),
  insertions: z.number().int(),
  deletions: z.number().int(),
});
export type DiffStat = z.infer<typeof DiffStat>;

/** A commit that the trusted side made in quarantine from the tree that came out of a sandbox. */
export const ExportedCommit = z.strictObject({
  /** undefined: the tree equals that of its parent, there is nothing to push. */
  commit: Commit.optional(),
  base: Commit,
  /** The whole change, from base to tree. */
  ...DiffStat.shape,
});
export type ExportedCommit = z.infer<typeof ExportedCommit>;

/** What a push or fetch may use: environment for git, with the credentials in it; they are never in an argument or a URL. */
export interface GitAccess {
  env: Record<string, string>;
}

/** The part of a forge's repository that git needs. */
export interface GitRepository {
  forge: string;
  name: string;
  /** https, http, ssh, file, or an absolute path. */
  cloneUrl: string;
  archived?: boolean;
}

export interface BranchHead {
  branch: string;
  commit: Commit;
}

export interface QuarantineRequest {
  repository: GitRepository;
  base: Commit;
  /** What this run pushed before; the base where missing. */
  parent?: Commit;
  /** A bundle from a sandbox: any bytes at all. The base's own tree where missing. */
  bundlePath?: string;
  policy: ExportPolicy;
  /** The allowed paths are held against what came since this commit of the mirror; against the whole change where missing. */
  since?: Commit;
  message: string;
  author: { name: string; email: string };
  /** ISO 8601. With the same date, author, message and tree, the commit is the same. */
  date: string;
  /** Names the commit in the mirror, so that it stays: the run and the step. */
  key: string;
}

/** Every method may be repeated and throws GitRefusal. */
export interface TrustedGit {
  /** Clones the mirror or brings it up to date. Safe to call at the same time from several processes. */
  ensureMirror(repository: GitRepository, access: GitAccess, signal?: AbortSignal): Promise<void>;
  /** The head of a branch (the default one where missing) as the mirror has it. */
  resolveBase(repository: GitRepository, branch?: string): Promise<BranchHead>;
  /** A bundle with a commit of the mirror and its history, for the sandbox's checkout; read it at once, it is a cache. */
  createCheckoutBundle(repository: GitRepository, commit: Commit): Promise<{ path: string }>;
  /** Takes the tree at the bundle's head, holds it to the policy and makes one commit of it in the mirror. */
  quarantine(request: QuarantineRequest, signal?: AbortSignal): Promise<ExportedCommit>;
  /** A unified patch; one that reaches `maxBytes` ends in a line that says so. */
  createDiff(
    repository: GitRepository,
    base: Commit,
    commit: Commit,
    options?: { maxBytes?: number },
  ): Promise<Uint8Array>;
  readDiffStat(repository: GitRepository, base: Commit, commit: Commit): Promise<DiffStat>;
  /** The forge's own answer, not the mirror's. */
  findRemoteHead(repository: GitRepository, access: GitAccess, branch: string): Promise<Commit | undefined>;
  /** A name for a first push: `branch`, or with the first suffix that is free on the forge, or that holds the commit already. */
  chooseBranch(
    wanted: { repository: GitRepository; access: GitAccess; commit: Commit; branch: string },
    signal?: AbortSignal,
  ): Promise<string>;
  /**
   * Brings the branch from `expected` (undefined: it must not exist) to `commit`. Where it has come past the commit, as a
   * push that is repeated late finds it, nothing is done. Never forces; where it holds anything else the refusal is `foreign-commits`.
   */
  pushBranch(
    wanted: {
      repository: GitRepository;
      access: GitAccess;
      commit: Commit;
      branch: string;
      expected: Commit | undefined;
    },
    signal?: AbortSignal,
  ): Promise<void>;
  /** `branchForeign`: the change's branch is gone or holds something else than `head.commit`. */
  checkFreshness(wanted: {
    repository: GitRepository;
    access: GitAccess;
    base: BranchHead;
    head?: BranchHead;
  }): Promise<{ baseMoved: boolean; branchForeign: boolean }>;
}

export type GitRefusalCode =
  | 'repository-empty'
  | 'repository-not-found'
  | 'repository-archived'
  | 'repository-unauthorized'
  | 'repository-unreachable'
  | 'branch-not-found'
  | 'commit-missing'
  | 'bundle-corrupt'
  | 'too-many-files'
  | 'too-large'
  | 'protected-path'
  | 'path-not-allowed'
  | 'glob-unsupported'
  | 'unsafe-path'
  | 'unsafe-symlink'
  | 'submodule'
  | 'mode-change'
  | 'lfs-pointer'
  | 'foreign-commits'
  | 'push-refused'
  | 'base-moved';

/** Git, or a policy on what git brought, said no. `paths` are untrusted text. */
export class GitRefusal extends JigError {
  override name = 'GitRefusal';
  declare readonly code: GitRefusalCode;
  readonly paths: string[];
  constructor(
    code: GitRefusalCode,
    message: string,
    { paths = [], ...options }: { paths?: string[]; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.paths = paths;
  }
}
