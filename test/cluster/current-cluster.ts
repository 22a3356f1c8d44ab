/** The cluster that this machine's kubeconfig names, for tests that need none of their own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ClusterRecord } from './record.ts';

/** The variable that names an image of the sandbox which that cluster can pull or has. */
const imageVariable = 'JIG_TEST_IMAGE';

/** Why it can't be used, in plain words; undefined: it can. */
export async function findObstacleToCurrent(): Promise<string | undefined> {
  if (!process.env[imageVariable])
    return `${imageVariable} must name an image of the sandbox (k8s/deploy/sandbox-image) that the current cluster has`;
  const { failed, stderr } = await execa('kubectl', ['get', '--raw=/readyz'], { reject: false });
  return failed ? `the current cluster does not answer kubectl: ${stderr || 'there is no kubectl'}` : undefined;
}

/** Its record's path, and what removes that again. */
export async function recordCurrent(): Promise<{ recordPath: string; remove(): Promise<void> }> {
  const record: ClusterRecord = {
    kubeconfig: process.env['KUBECONFIG'] || join(homedir(), '.kube/config'),
    kubectl: 'kubectl',
    image: process.env[imageVariable] ?? '',
    namespacePrefix: 'jig-test-',
  };
  const folder = await mkdtemp(join(tmpdir(), 'jig-current-cluster-'));
  const recordPath = join(folder, 'cluster.json');
  await writeFile(recordPath, JSON.stringify(record));
  return { recordPath, remove: () => rm(folder, { recursive: true, force: true }) };
}
