/** Opens what runs keep on this machine: outputs and conversations, and the local forge. */
import type { ArtifactRef, ArtifactStore } from '../artifacts/contract.ts';
import { ArtifactMissing } from '../artifacts/errors.ts';
import { JigError } from '../base/errors.ts';
import { dataFolders } from '../client/data-folders.ts';
import { defaultDataDir } from '../client/up-record.ts';
import type { LocalForge } from '../forge/local/local-forge.ts';

const folders = () => dataFolders(defaultDataDir(process.env));

export async function openForge(): Promise<LocalForge> {
  const { createLocalForge } = await import('../forge/local/local-forge.ts');
  return createLocalForge({ rootDir: folders().forge });
}

export async function openArtifacts(): Promise<ArtifactStore> {
  const { createFolderStore } = await import('../artifacts/folder.ts');
  return createFolderStore({ rootDir: folders().artifacts });
}

/** Reads an artifact as text. @throws JigError `artifact-unavailable` if the run kept it on another machine */
export async function readArtifact(store: ArtifactStore, ref: ArtifactRef): Promise<string> {
  return (await readBytes(store, ref)).toString();
}

/** Reads an artifact. @throws JigError `artifact-unavailable` if the run kept it on another machine */
export async function readBytes(store: ArtifactStore, ref: ArtifactRef): Promise<Buffer> {
  try {
    return Buffer.from(await store.get(ref));
  } catch (error) {
    if (!(error instanceof ArtifactMissing)) throw error;
    throw new JigError('artifact-unavailable', `${folders().artifacts} does not have this output`, {
      hint: 'Set JIG_DATA_DIR to the worker’s data folder, or run the command on its machine.',
      cause: error,
    });
  }
}
