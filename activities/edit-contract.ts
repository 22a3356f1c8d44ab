/** What the activities of an edit are asked and answer. */
import type { ArtifactRef } from '../artifacts/contract.ts';
import type { SandboxRef } from '../sandbox/contract.ts';

/** An exact replacement in a file of the workspace. */
interface Replacement {
  sandbox: SandboxRef;
  key: string;
  path: string;
  old: string;
  new: string;
  line?: number;
  all: boolean;
}

export interface ApplyEdit extends Replacement {
  /** Whether to keep the file as it was, so that the edit can be undone. */
  keepBefore: boolean;
}

/** An edit that was made. */
export interface AppliedEdit {
  replacements: number;
  kept?: { before: ArtifactRef; afterSha256: string };
}

/** An edit that was made, with what is needed to undo it. */
export interface UndoEdit extends Replacement {
  before: ArtifactRef;
  afterSha256: string;
}
