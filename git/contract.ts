/**
 * Trusted git: mirrors in a cache, checkouts for sandboxes, commits from them.
 * Nothing here ever runs git in a tree that an agent touched.
 */
import { z } from 'zod';
import { JigError } from '../base/errors.ts';
import { AllowedRefusal } from '../blueprints/kinds/change.ts';

export const Commit = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
export type Commit = z.infer<typeof Commit>;

export const ExportPolicy = z.strictObject({
  maxFiles: z.number().int(),
  maxBytes: z.number().int(),
  /** Globs that no change may touch. */
  protectedPaths: z.array(z.string()),
  /** Globs that a change may touch; undefined means everything except the protected paths. */
  allowedPaths: z.array(z.string()).optional(),
  /**
   * Refusals that are not made. `mode-change`: an existing file becomes executable; `unportable-name`: a new name that
   * other systems can't hold.
   */
  allow: z.array(AllowedRefusal).optional(),
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

const NamedFiles = z.strictObject({ count: z.number().int(), paths: z.array(z.string()) });

/** New files of a workspace that are not in the change, with the names of the first. Names are untrusted. */
export const LeftOut = z.strictObject({
  /** Made by setup or a check. */
  made: NamedFiles,
  /** Named by .gitignore, and made by something else. */
  ignored: NamedFiles,
});
export type LeftOut = z.infer<typeof LeftOut>;

/** A commit that the trusted side made in quarantine from a sandbox's tree. */
export const ExportedCommit = z.strictObject({
  /** Undefined if the tree equals its parent's, so there is nothing to push. */
  commit: Commit.optional(),
  base: Commit,
  /** The statistics of the whole change, from base to tree. */
  ...DiffStat.shape,
  leftOut: LeftOut.optional(),
});
export type ExportedCommit = z.infer<typeof ExportedCommit>;

/** The environment for a push or a fetch, with the credentials. They are never in an argument or a URL. */
export interface GitAccess {
  env: Record<string, string>;
}

/** The part of a forge's repository that git needs. */
export interface GitRepository {
  forge: string;
  name: string;
  /** An address with https, http, ssh or file, or an absolute path. */
  cloneUrl: string;
  archived?: boolean;
}

/** A branch and the commit at its head. */
export interface BranchHead {
  branch: string;
  commit: Commit;
}

/** What a checkout has besides its commit: that commit's own history and tags, or also all branches and tags. */
export type CheckoutHistory = 'base' | 'all';

/** What to take out of a sandbox, and what it may contain. */
export interface QuarantineRequest {
  repository: GitRepository;
  base: Commit;
  /** The commit that this run pushed before; the base if missing. */
  parent?: Commit;
  /** A bundle from a sandbox, which may hold any bytes. If missing, the base's own tree is used. */
  bundlePath?: string;
  policy: ExportPolicy;
  /**
   * The allowed paths apply to what changed since this commit of the mirror. If missing, they apply to the whole
   * change.
   */
  since?: Commit;
  message: string;
  author: { name: string; email: string };
  /** ISO 8601. The same date, author, message and tree make the same commit. */
  date: string;
  /** The name that keeps the commit in the mirror: the run and the step. */
  key: string;
}

/** Every method may be repeated and throws GitRefusal. */
export interface TrustedGit {
  /** Clones the mirror or updates it. Several processes may call it at the same time. */
  ensureMirror(repository: GitRepository, access: GitAccess, signal?: AbortSignal): Promise<void>;
  /** The head of a branch in the mirror; of the default branch if missing. */
  resolveBase(repository: GitRepository, branch?: string): Promise<BranchHead>;
  /**
   * A bundle with a commit of the mirror, its history and tags, and those of `base`, for the sandbox's checkout. Read it
   * soon: it is in a cache.
   */
  createCheckoutBundle(
    repository: GitRepository,
    commit: Commit,
    options?: { base?: Commit; history?: CheckoutHistory },
  ): Promise<{ path: string }>;
  /** Takes the tree at the bundle's head, checks it against the policy, and makes one commit of it in the mirror. */
  quarantine(request: QuarantineRequest, signal?: AbortSignal): Promise<ExportedCommit>;
  /** A unified patch. If it reaches `maxBytes`, its last line says so. */
  createDiff(
    repository: GitRepository,
    base: Commit,
    commit: Commit,
    options?: { maxBytes?: number },
  ): Promise<Uint8Array>;
  readDiffStat(repository: GitRepository, base: Commit, commit: Commit): Promise<DiffStat>;
  /** The branch's head on the forge, not in the mirror. */
  findRemoteHead(repository: GitRepository, access: GitAccess, branch: string): Promise<Commit | undefined>;
  /**
   * Chooses a name for a first push: `branch`, or `branch` with the first suffix that is free on the forge or already
   * holds the commit.
   */
  chooseBranch(
    wanted: { repository: GitRepository; access: GitAccess; commit: Commit; branch: string },
    signal?: AbortSignal,
  ): Promise<string>;
  /**
   * Moves the branch from `expected` to `commit`. `expected` undefined means that the branch must not exist. If the
   * branch is already past the commit, as for a late retry, nothing is done. Never forces: if the branch holds anything
   * else, the refusal is `foreign-commits`.
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
  /**
   * Checks what has moved since. `branchForeign`: the change's branch is gone or holds something else than
   * `head.commit`.
   */
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
  | 'unportable-name'
  | 'unsafe-symlink'
  | 'submodule'
  | 'mode-change'
  | 'lfs-pointer'
  | 'filtered-file'
  | 'foreign-commits'
  | 'push-refused'
  | 'base-moved';

/** Git refused, or a policy refused what git brought. `paths` are untrusted text. */
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
