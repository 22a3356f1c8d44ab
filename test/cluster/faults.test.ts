import { describe, test } from 'vitest';
import { startWaitingRun, type WaitingRun } from './waiting-run.ts';

describe('in the middle of a command in a pod', () => {
  test('the worker can be killed: the next worker follows the command, which runs once', async () => {
    await using run = await startWaitingRun();
    const pod = await run.whereBegun();
    const { worker } = run.installation;
    worker.process.kill('SIGKILL');
    await worker.ended;
    run.installation.takeOver();
    await run.letGoOn(pod);
    await run.checkEnd();
  });

  test('the pod can be deleted: the run starts again in another one, from a clean checkout', async () => {
    await using run = await startWaitingRun();
    const first = await run.whereBegun();
    await run.deletePod(first);
    await run.letGoOn(await run.whereBegun(first));
    await run.checkEnd();
  });

  test('the pod can be replaced by another program’s: the run has lost its own, and leaves the other alone', async () => {
    await using run = await startWaitingRun();
    const first = await run.whereBegun();
    await run.deletePod(first);
    await run.cluster.apply(foreignPod(first.name, run));
    await run.letGoOn(await run.whereBegun(first));
    await run.checkEnd([first.name]);
  });
});

function foreignPod(name: string, { namespace, cluster: { image } }: WaitingRun): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: namespace.name },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'Never',
          command: ['sleep', '3600'],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
