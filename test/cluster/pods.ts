/** A pod that the Pod Security level `restricted` admits. */
import type { TestCluster, TestNamespace } from './cluster.ts';

export interface PodSpec {
  namespace: TestNamespace;
  name: string;
  command: string[];
  /** Of an empty volume at /work, as Kubernetes writes sizes. */
  disk?: string;
}

/** Makes a pod, and waits until it is ready. */
export async function startPod(
  cluster: TestCluster,
  { namespace, name, command, disk = '64Mi' }: PodSpec,
): Promise<void> {
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: namespace.name },
    spec: {
      automountServiceAccountToken: false,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'main',
          image: cluster.image,
          imagePullPolicy: 'IfNotPresent',
          command,
          workingDir: '/work',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } },
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
        },
      ],
      volumes: [{ name: 'work', emptyDir: { sizeLimit: disk } }],
    },
  });
  await cluster.kubectl('wait', '--namespace', namespace.name, '--for=condition=Ready', `pod/${name}`, '--timeout=60s');
}
