import { resolve } from 'node:path';
import { createCheckoutBundle } from './checkout-bundle.ts';
import { createGitRunner } from './command.ts';
import type { TrustedGit } from './contract.ts';
import { createDiff, readDiffStat } from './diff.ts';
import { checkCommits, ensureMirror, mirrorPath, resolveBase, type Mirrors } from './mirror.ts';
import { checkFreshness, chooseBranch, findRemoteHead, pushBranch } from './push.ts';
import { quarantine } from './quarantine.ts';

/** Trusted git, with its cache in a folder that several processes of one machine may share. */
export function createTrustedGit({ cacheDir, gitPath }: { cacheDir: string; gitPath?: string }): TrustedGit {
  const mirrors: Mirrors = { git: createGitRunner(gitPath), cacheDir: resolve(cacheDir) };
  return {
    ensureMirror: (repository, access, signal) => ensureMirror(mirrors, repository, access, signal),
    resolveBase: (repository, branch) => resolveBase(mirrors, repository, branch),
    createCheckoutBundle: (repository, commit, options) => createCheckoutBundle(mirrors, repository, commit, options),
    quarantine: (request, signal) => quarantine(mirrors, request, signal),
    async createDiff(repository, base, commit, options) {
      await checkCommits(mirrors, repository, [base, commit]);
      return createDiff(mirrors.git, mirrorPath(mirrors, repository), base, commit, options?.maxBytes);
    },
    async readDiffStat(repository, base, commit) {
      await checkCommits(mirrors, repository, [base, commit]);
      return readDiffStat(mirrors.git, mirrorPath(mirrors, repository), base, commit);
    },
    findRemoteHead: (repository, access, branch) => findRemoteHead(mirrors, repository, access, branch),
    chooseBranch: (wanted, signal) => chooseBranch(mirrors, wanted, signal),
    pushBranch: (wanted, signal) => pushBranch(mirrors, wanted, signal),
    checkFreshness: (wanted) => checkFreshness(mirrors, wanted),
  };
}
