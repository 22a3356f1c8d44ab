/** What the activities work with: contracts, never adapters. The worker chooses the adapters. */
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
  /** How long a sandbox lives after its last use, if its run isn't known to need it. */
  leaseMs: number;
  /** Whether a run with a dollar limit is refused a model without a known price. */
  refuseUnpriced: boolean;
  /** The interval between requests for a change's checks. */
  ciPollMs: number;
  /** How long a code host may take to report a commit's first check. */
  ciGraceMs: number;
}
