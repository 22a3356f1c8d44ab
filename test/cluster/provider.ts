/** The provider on the test cluster, in a namespace of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubernetesProvider } from '../../k8s/provider.ts';
import { KubernetesSettings } from '../../k8s/settings.ts';
import type { SandboxProvider } from '../../sandbox/contract.ts';
import { getCluster, type TestCluster, type TestNamespace } from './cluster.ts';

export interface TestProvider extends AsyncDisposable {
  cluster: TestCluster;
  namespace: TestNamespace;
  provider: SandboxProvider;
  /** One more over the same namespace, as another worker would have it. */
  another(settings?: Record<string, unknown>): SandboxProvider;
}

/** Without the network's test, where `settings` don't ask for it. */
export async function createTestProvider(settings: Record<string, unknown> = {}): Promise<TestProvider> {
  const cluster = await getCluster();
  const namespace = await cluster.createNamespace();
  const outputDir = await mkdtemp(join(tmpdir(), 'jig-pods-'));
  process.env['KUBECONFIG'] = cluster.kubeconfigPath;
  const another = (changes: Record<string, unknown> = {}): SandboxProvider => {
    const common = {
      namespace: namespace.name,
      image: cluster.image,
      imagePullPolicy: 'IfNotPresent',
      requestShare: 0.05,
      network: 'open',
    };
    return createKubernetesProvider({
      settings: KubernetesSettings.parse({ ...common, ...settings, ...changes }),
      outputDir,
    });
  };
  return {
    cluster,
    namespace,
    another,
    provider: another(),
    async [Symbol.asyncDispose]() {
      await namespace.remove();
      await rm(outputDir, { recursive: true, force: true });
    },
  };
}
