/** What a cluster says about itself, to whoever tests on it. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

export const ClusterRecord = z.strictObject({
  /** A path; its user may do everything. */
  kubeconfig: z.string(),
  kubectl: z.string(),
  /** An image of the sandbox that the node has. */
  image: z.string(),
  /** What namespaces of tests are called. */
  namespacePrefix: z.string(),
  /** Of the machine that runs the tests, as pods reach it where the network isn't denied. */
  hostAddress: z.string().optional(),
  /** A Unix socket where the cluster's network and API server are switched; missing: they can't be. */
  control: z.string().optional(),
});
export type ClusterRecord = z.infer<typeof ClusterRecord>;

/** The variable that names the file of a cluster's record. */
export const recordVariable = 'JIG_TEST_CLUSTER';

/** What a control socket takes, as JSON. */
export const ClusterRequest = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('network'), deny: z.boolean() }),
  z.strictObject({ do: z.literal('stop-api-server') }),
  z.strictObject({ do: z.literal('silence-api-server') }),
  z.strictObject({ do: z.literal('start-api-server') }),
]);
export type ClusterRequest = z.infer<typeof ClusterRequest>;

/** What a machine is made of. */
export const MachineSpec = z.strictObject({
  /** The folder of Kubernetes' programs. */
  programs: z.string(),
  /** Archives of images that the node shall have. */
  imageArchives: z.array(z.string()),
  image: z.string(),
});
export type MachineSpec = z.infer<typeof MachineSpec>;

export async function readRecord(path: string): Promise<ClusterRecord> {
  return ClusterRecord.parse(JSON.parse(await readFile(path, 'utf8')));
}
