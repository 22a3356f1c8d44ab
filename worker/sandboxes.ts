/** Makes the sandbox provider from the configuration. */
import { join } from 'node:path';
import { ensureBinary } from '../binaries/ensure-binary.ts';
import { dataFolders } from '../client/data-folders.ts';
import type { SandboxProvider } from '../sandbox/contract.ts';
import { leased } from '../sandbox/leased.ts';
import { createLocalProvider } from '../sandbox/local/provider.ts';
import { cacheDirOf, dataDirOf, type Config } from './config.ts';

export interface Sandboxes {
  sandboxes: SandboxProvider;
  /** Releases what this process holds open. Sandboxes stay. */
  close: () => Promise<void>;
}

/** Makes the provider. @throws JigError if a program or the cluster is missing, with what to do about it */
export async function createSandboxes(
  config: Config,
  env: NodeJS.ProcessEnv,
  onProgress: (line: string) => void,
): Promise<Sandboxes> {
  const { provider, kubernetes, leaseMs } = config.sandbox;
  const onError = (id: string, error: unknown): void =>
    onProgress(
      `the lease of the sandbox ${id} could not be renewed: ${error instanceof Error ? error.message : String(error)}`,
    );
  const withLease = (sandboxes: SandboxProvider): SandboxProvider => leased(sandboxes, { leaseMs, onError });
  const folder = dataFolders(dataDirOf(config, env)).sandboxes;
  if (provider === 'kubernetes') {
    // The Kubernetes client takes time and memory to load, so only those who need it load it.
    const { createKubernetesProvider } = await import('../k8s/provider.ts');
    return {
      sandboxes: withLease(createKubernetesProvider({ settings: kubernetes, outputDir: join(folder, 'pods') })),
      close: async () => undefined,
    };
  }
  const unsafeProcess = provider === 'unsafe-process';
  const bwrapPath = unsafeProcess
    ? ''
    : await ensureBinary('bwrap', { cacheDir: join(cacheDirOf(env), 'binaries'), env, onProgress });
  const local = createLocalProvider({ rootDir: folder, bwrapPath, unsafeProcess, env, onNote: onProgress });
  return { sandboxes: withLease(local), close: () => local.close() };
}
