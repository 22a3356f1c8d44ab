import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubernetesProvider } from '../../k8s/provider.ts';
import { KubernetesSettings } from '../../k8s/settings.ts';
import { sandboxContract } from '../sandbox/contract.ts';
import { copyContract } from '../sandbox/copy-contract.ts';
import { getCluster } from './cluster.ts';

const createProvider = async () => {
  const cluster = await getCluster();
  const namespace = await cluster.createNamespace();
  const outputDir = await mkdtemp(join(tmpdir(), 'jig-pods-'));
  process.env['KUBECONFIG'] = cluster.kubeconfigPath;
  const settings = KubernetesSettings.parse({
    namespace: namespace.name,
    image: cluster.image,
    imagePullPolicy: 'IfNotPresent',
    requestShare: 0.05,
  });
  return {
    provider: createKubernetesProvider({ settings, outputDir }),
    async close() {
      await namespace.remove();
      await rm(outputDir, { recursive: true, force: true });
    },
  };
};
sandboxContract('kubernetes', createProvider);
copyContract('kubernetes', createProvider);
