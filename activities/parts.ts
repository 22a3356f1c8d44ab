/** What the activities work with: the contracts, never an adapter. The worker chooses the adapters. */
import type { ArtifactStore } from '../artifacts/contract.ts';
import type { Forge } from '../forge/contract.ts';
import type { TrustedGit } from '../git/contract.ts';
import type { Model } from '../model/contract.ts';
import type { SandboxProvider } from '../sandbox/contract.ts';
import type { RunSettings } from './contract.ts';

export interface Parts {
  sandboxes: SandboxProvider;
  forges: ReadonlyMap<string, Forge>;
  git: TrustedGit;
  artifacts: ArtifactStore;
  model: Model;
  settings: RunSettings;
  /** How long a sandbox lives after it was last used, where its run isn't known to need it. */
  leaseMs: number;
  /** Whether a run with a limit in dollars may ask a model whose price nobody knows. */
  refuseUnpriced: boolean;
  /** How often the checks of a change are asked for. */
  ciPollMs: number;
  /** How long a code host may take to know of a commit's first check. */
  ciGraceMs: number;
}
