/** What an operator decides about pods; a blueprint can't. */
import { z } from 'zod';
import { defaults } from '../base/defaults.ts';

const Labels = z.record(z.string(), z.string());

export const KubernetesSettings = z.strictObject({
  context: z
    .string()
    .optional()
    .describe('The context in the kubeconfig; by default the current one. In a cluster, the pod’s own service account'),
  namespace: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)
    .default('jig-sandboxes')
    .describe(
      'The namespace for sandboxes. Each installation needs its own, because it removes sandboxes that it does not know',
    ),
  image: z.string().default('jig-sandbox:latest').describe('The image of a sandbox whose blueprint names none'),
  allowedImages: z
    .array(z.string())
    .optional()
    .describe(
      'The images that a blueprint may name, or folders of them, such as `ghcr.io/acme`; by default, any image',
    ),
  imagePullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .default('IfNotPresent')
    .describe('When an image is pulled'),
  imagePullSecrets: z.array(z.string()).default([]).describe('Names of the secrets for private registries'),
  runtimeClassName: z.string().optional().describe('The runtime class of a sandbox, such as `gvisor`'),
  nodeSelector: Labels.default({}).describe('Labels of the nodes on which sandboxes run'),
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().optional(),
        operator: z.enum(['Exists', 'Equal']).optional(),
        value: z.string().optional(),
        effect: z.string().optional(),
      }),
    )
    .default([])
    .describe('Taints that sandboxes tolerate'),
  requestShare: z.number().min(0.01).max(1).default(0.5).describe('Which part of its limits a sandbox requests'),
  startTimeoutMs: z
    .number()
    .int()
    .min(1000)
    .default(180_000)
    .describe('How long a pod may take until it is scheduled, its image is pulled and it is ready'),
  pullTimeoutMs: z
    .number()
    .int()
    .min(1000)
    .default(60_000)
    .describe('How long Jig retries an image that can’t be pulled'),
  unreachableTimeoutMs: z
    .number()
    .int()
    .min(1000)
    .default(300_000)
    .describe('How long Jig retries an API server that doesn’t answer'),
  podLifeMs: z
    .number()
    .int()
    .min(3_600_000)
    .default(defaults.sandbox.podLifeMs)
    .describe(
      'How long a pod may live. The cluster then ends it, even if its run needs it. Set it longer than `runs.humanWaitMs`, for workspaces that are too large to copy',
    ),
  network: z
    .enum(['denied', 'open'])
    .default('denied')
    .describe(
      '`denied`: pods must not reach the network, and Jig tests this before the first sandbox. `open`: pods reach what the cluster lets them reach, without a test',
    ),
});
export type KubernetesSettings = z.infer<typeof KubernetesSettings>;
