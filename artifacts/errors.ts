import { JigError } from '../base/errors.ts';

/** The store has no bytes under this hash. */
export class ArtifactMissing extends JigError {
  override name = 'ArtifactMissing';
  constructor(sha256: string, cause?: unknown) {
    super('artifact-missing', `The artifact ${sha256} is not in the store.`, { cause });
  }
}

/**
 * The bytes under this hash have another hash, through a disk fault or because somebody wrote into the store's folder.
 */
export class ArtifactCorrupt extends JigError {
  override name = 'ArtifactCorrupt';
  constructor(sha256: string, found: string) {
    super('artifact-corrupt', `The artifact ${sha256} holds other bytes than it was stored with: ${found}.`);
  }
}
