import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import type { V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { annotations, podOf } from '../../k8s/pod-spec.ts';
import { ensurePod, removePod, renewPod, untilStarted } from '../../k8s/pods.ts';
import { KubernetesSettings } from '../../k8s/settings.ts';
import { SandboxRefused, SandboxUnavailable } from '../../sandbox/errors.ts';
import { sandboxSpec } from '../sandbox/fixtures.ts';
import { startPodServer, type PodServer, type PodServerOptions } from './pod-server.ts';
import { refusal } from './rest-server.ts';

const settings = KubernetesSettings.parse({ namespace: 'jig', image: 'sandbox:1' });
const wanted = (changes: Parameters<typeof sandboxSpec>[1] = {}): V1Pod =>
  podOf(sandboxSpec('run/one', changes), settings, { nonce: 'n', scripts: {} });
const running: V1PodStatus = {
  phase: 'Running',
  conditions: [{ type: 'PodScheduled', status: 'True' }],
  containerStatuses: [containerStatus({ running: { startedAt: new Date() } })],
};
const limits = { startTimeoutMs: 5000, pullTimeoutMs: 300 };

function containerStatus(state: NonNullable<V1PodStatus['containerStatuses']>[number]['state']) {
  return { name: 'sandbox', image: '', imageID: '', ready: false, restartCount: 0, ...(state && { state }) };
}
const waits = (reason: string, message: string): V1PodStatus => ({
  phase: 'Pending',
  containerStatuses: [containerStatus({ waiting: { reason, message } })],
});
const unavailable = (code: string, said: RegExp, retryable?: boolean) => (error: unknown) =>
  error instanceof SandboxUnavailable &&
  error.code === code &&
  said.test(error.message) &&
  (retryable === undefined || error.retryable === retryable);

describe('a pod', () => {
  it('is made once by ten calls at the same time', async () => {
    await using server = await startPodServer();
    const made = await Promise.all(Array.from({ length: 10 }, async () => await ensurePod(server.pods, wanted())));
    assert.deepEqual(new Set(made.map(({ metadata }) => metadata?.uid)).size, 1);
  });

  it('is made once even if the answer was lost', async () => {
    let lost = 0;
    await using server = await startPodServer({
      instead: (asked, self) => {
        if (asked.method !== 'POST' || lost++ > 0) return undefined;
        self.put(asked.body as V1Pod);
        return 'hang-up';
      },
    });
    const pod = await ensurePod(server.pods, wanted());
    assert.equal(pod.metadata?.uid, server.find()?.metadata?.uid);
    assert.equal(server.count('POST'), 2);
  });

  it('of another program with this name is refused and left alone', async () => {
    await using server = await startPodServer();
    const { metadata } = wanted();
    server.put({ metadata: { name: metadata?.name ?? '', labels: { app: 'other' } } });
    await assert.rejects(
      ensurePod(server.pods, wanted()),
      (error) => error instanceof SandboxRefused && /was not made by Jig/.test(error.message),
    );
    assert.equal(server.count('DELETE'), 0);
  });

  it('is renewed by an annotation with the time until which it is needed, unless it is gone or another’s', async () => {
    await using server = await startPodServer();
    assert.equal(await renewPod(server.pods, 'run/one', 3_600_000), false);
    await ensurePod(server.pods, wanted({ leaseMs: 1000 }));
    const nowMs = Date.now();
    assert.equal(await renewPod(server.pods, 'run/one', 3_600_000), true);
    const noted = () => Date.parse(server.find()?.metadata?.annotations?.[annotations.leasedUntil] ?? '');
    assert.ok(noted() >= nowMs + 3_600_000);
    const { name = '' } = server.find()?.metadata ?? {};
    server.put({ metadata: { name, annotations: { [annotations.id]: 'another' } } });
    assert.equal(await renewPod(server.pods, 'run/one', 3_600_000), false);
  });

  it('that was made with another specification is refused and left alone', async () => {
    await using server = await startPodServer();
    await ensurePod(server.pods, wanted());
    for (const changes of [{ image: 'other:1' }, { env: { A: 'b' } }])
      await assert.rejects(ensurePod(server.pods, wanted(changes)), SandboxRefused);
    assert.equal(server.count('DELETE'), 0);
  });

  it('that has ended or is being removed is made again once it is gone', async () => {
    for (const end of [
      (server: PodServer) => server.change({ phase: 'Failed', reason: 'Evicted' }),
      (server: PodServer) => server.change({}, { deletionTimestamp: new Date() }),
    ]) {
      await using server = await startPodServer();
      const first = await ensurePod(server.pods, wanted());
      end(server);
      const second = await ensurePod(server.pods, wanted());
      assert.notEqual(second.metadata?.uid, first.metadata?.uid);
    }
  });

  it('whose predecessor never goes fails in time', async () => {
    await using server = await startPodServer({ lingers: true });
    await ensurePod(server.pods, wanted());
    server.change({}, { deletionTimestamp: new Date() });
    await assert.rejects(
      ensurePod(server.pods, wanted(), undefined, { startTimeoutMs: 500 }),
      unavailable('sandbox-not-started', /still being removed/, true),
    );
  });

  it('waits until a quota has room', async () => {
    let full = true;
    await using server = await startPodServer({
      instead: (asked) => {
        if (asked.method !== 'POST' || !full) return undefined;
        full = false;
        return refusal(
          403,
          'Forbidden',
          'pods "one" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=1, limited: pods=1',
        );
      },
    });
    assert.ok(await ensurePod(server.pods, wanted()));
  });

  for (const [status, message] of [
    [403, 'pods "one" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=1, limited: pods=1'],
    [403, 'pods "one" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities'],
    [403, 'pods "one" is forbidden: maximum memory usage per Container is 1Mi, but limit is 536870912'],
    [
      403,
      'pods is forbidden: User "system:serviceaccount:jig:worker" cannot create resource "pods" in API group "" in the namespace "jig"',
    ],
    [404, 'namespaces "jig" not found'],
    [422, 'Pod "one" is invalid: spec.containers[0].image: Required value'],
  ] as const) {
    it(`that isn't admitted fails in the cluster's words: ${message.slice(0, 70)}`, async () => {
      await using server = await startPodServer({
        instead: ({ method }) => (method === 'POST' ? refusal(status, 'Forbidden', message) : undefined),
      });
      await assert.rejects(
        ensurePod(server.pods, wanted(), undefined, { startTimeoutMs: 100 }),
        (error) => unavailable('sandbox-not-admitted', /./, false)(error) && String(error).includes(message),
      );
    });
  }

  it('is removed only by its own UID', async () => {
    await using server = await startPodServer();
    const first = await ensurePod(server.pods, wanted());
    server.remove();
    await removePod(server.pods, first);
    const second = await ensurePod(server.pods, wanted());
    await removePod(server.pods, first);
    assert.equal(server.find()?.metadata?.uid, second.metadata?.uid);
    await removePod(server.pods, second);
    assert.equal(server.find(), undefined);
  });
});

/** What happens to a pod that is waited for. */
async function start(
  options: PodServerOptions,
  then: (server: PodServer) => void | Promise<void>,
): Promise<{ server: PodServer; started: V1Pod }> {
  await using server = await startPodServer(options);
  const pod = await ensurePod(server.pods, wanted());
  const [started] = await Promise.all([untilStarted(server.pods, pod, limits), then(server)]);
  return { server, started };
}

describe('the wait for a pod to start', () => {
  for (const watch of ['speaks', 'silent', 'expired', 'ends'] as const) {
    it(`ends when it runs, though the watch ${watch}`, async () => {
      const { server, started } = await start(
        { watch },
        (server) => void setTimeout(() => server.change(running), 300),
      );
      assert.equal(started.status?.phase, 'Running');
      assert.ok(server.count('GET') <= 4, `${server.count('GET')} looks`);
    });
  }

  it('continues when a server that was away is back', async () => {
    let away = false;
    const { started } = await start({ watch: 'ends', instead: () => (away ? 'hang-up' : undefined) }, (server) => {
      away = true;
      setTimeout(() => {
        away = false;
        server.change(running);
      }, 1500);
    });
    assert.equal(started.status?.phase, 'Running');
  });

  const final: [string, string, V1PodStatus][] = [
    [
      'an image that may not be pulled',
      'sandbox-image-unavailable',
      waits('ErrImageNeverPull', 'Container image "x" is not present with pull policy of Never'),
    ],
    ['a name that is no image', 'sandbox-image-unavailable', waits('InvalidImageName', "couldn't parse image name")],
    [
      "a configuration that can't be",
      'sandbox-not-started',
      waits('CreateContainerConfigError', 'secret "x" not found'),
    ],
    [
      'an image without a shell',
      'sandbox-not-started',
      {
        phase: 'Failed',
        containerStatuses: [
          containerStatus({
            terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "sh": executable file not found' },
          }),
        ],
      },
    ],
    [
      'an eviction',
      'sandbox-not-started',
      { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory' },
    ],
  ];
  for (const [what, code, status] of final) {
    it(`ends at once with ${what}, in the cluster's words`, async () => {
      const { reason = '', message = '' } =
        status.containerStatuses?.[0]?.state?.waiting ?? status.containerStatuses?.[0]?.state?.terminated ?? status;
      const startedAt = performance.now();
      await assert.rejects(
        start({ events: [{ reason: 'Failed', message: 'in the words of an event' }] }, (server) =>
          server.change(status),
        ),
        (error) =>
          unavailable(code, /in the words of an event/, false)(error) &&
          String(error).includes(reason) &&
          String(error).includes(message),
      );
      assert.ok(performance.now() - startedAt < 4000);
    });
  }

  it('ends earlier if a pull fails', async () => {
    await assert.rejects(
      start({}, (server) => server.change(waits('ImagePullBackOff', 'Back-off pulling image "x"'))),
      unavailable('sandbox-image-unavailable', /Back-off pulling image/),
    );
  });

  it('lasts as long as allowed if no node has room', async () => {
    const full: V1PodStatus = {
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: '0/1 nodes are available: 1 Insufficient cpu.',
        },
      ],
    };
    const startedAt = performance.now();
    await assert.rejects(
      start({}, (server) => server.change(full)),
      unavailable('sandbox-unschedulable', /Insufficient cpu/),
    );
    assert.ok(performance.now() - startedAt >= limits.startTimeoutMs - 100);
  });

  it('ends when the pod is removed, or replaced under its name', async () => {
    await assert.rejects(
      start({}, (server) => server.remove()),
      unavailable('sandbox-not-started', /was removed/, true),
    );
    await assert.rejects(
      start({}, (server) => {
        const pod = server.find();
        server.remove();
        server.put({ metadata: { name: pod?.metadata?.name ?? '' }, status: running });
      }),
      unavailable('sandbox-not-started', /was removed/, true),
    );
  });

  it('ends with the abort’s own reason', async () => {
    await using server = await startPodServer();
    const pod = await ensurePod(server.pods, wanted());
    const stop = new AbortController();
    const reason = new Error('the worker shuts down');
    setTimeout(() => stop.abort(reason), 100);
    await assert.rejects(untilStarted(server.pods, pod, limits, stop.signal), (error) => error === reason);
  });
});
