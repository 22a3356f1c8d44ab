/** Makes the adapters from the configuration. Only this file names them. */
import type { Parts } from '../activities/parts.ts';
import { createCachedStore } from '../artifacts/cached.ts';
import { createFolderStore } from '../artifacts/folder.ts';
import { runDefaults } from '../base/defaults.ts';
import { dataFolders } from '../client/data-folders.ts';
import { createLocalForge, type LocalForge } from '../forge/local/local-forge.ts';
import { createTrustedGit } from '../git/trusted-git.ts';
import { chooseModel } from '../model/choose-model.ts';
import { dataDirOf, type Config } from './config.ts';
import { createForges } from './forges.ts';
import { useNoModelIfUnset } from './no-model.ts';
import { loadRecording, recordTo } from './recording.ts';
import { createRedact } from './redact.ts';
import { createSandboxes } from './sandboxes.ts';

/** The parts of an installation, as the configuration asks for them. */
export interface Installation {
  parts: Parts;
  localForge: LocalForge;
  dataDir: string;
  /** Masks the secrets of these parts. */
  redact: (text: string) => string;
  /** Releases what the parts hold, such as the egress proxy. */
  close(): Promise<void>;
}

/** Makes all parts. @throws JigError if a program is missing, with what to do about it */
export async function createParts(
  config: Config,
  env: NodeJS.ProcessEnv,
  onProgress: (line: string) => void,
): Promise<Installation> {
  const dataDir = dataDirOf(config, env);
  const folders = dataFolders(dataDir);
  const localForge = createLocalForge({ rootDir: folders.forge });
  const { forges, secrets } = await createForges(config.forges, env);
  const recording = config.recording ? await loadRecording(config.recording) : undefined;
  const model = useNoModelIfUnset(() => chooseModel({ env, config: config.model, ...(recording && { recording }) }));
  const { sandboxes, close } = await createSandboxes(config, env, onProgress);
  const parts: Parts = {
    artifacts: createCachedStore(createFolderStore({ rootDir: folders.artifacts })),
    git: createTrustedGit({ cacheDir: folders.git }),
    forges: new Map([localForge, ...forges].map((forge) => [forge.name, forge])),
    sandboxes,
    model: config.record ? recordTo(config.record, model) : model,
    leaseMs: config.sandbox.leaseMs,
    settings: { ...config.runs, answerTimeoutMs: config.model.timeoutMs, defaults: runDefaults },
    refuseUnpriced: config.model.refuseUnpriced,
    ciPollMs: config.ci.pollMs,
    ciGraceMs: config.ci.graceMs,
  };
  return { parts, localForge, dataDir, redact: createRedact(env, secrets), close };
}
