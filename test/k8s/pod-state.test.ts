import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import type { V1ContainerState, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { findEnd, findProblem, isStarted, isUnexplained, lastWarning, podStates } from '../../k8s/pod-state.ts';
import type { Plain } from './pod-server.ts';

const pod = (status: Plain<V1PodStatus>, metadata: Plain<NonNullable<V1Pod['metadata']>> = {}): V1Pod => ({
  metadata: { creationTimestamp: new Date('2026-01-01T00:00:00Z'), ...metadata },
  status,
});
const container = (state: V1ContainerState): Plain<V1PodStatus> => ({
  phase: state.running ? 'Running' : 'Pending',
  containerStatuses: [{ name: 'sandbox', image: '', imageID: '', ready: false, restartCount: 0, state }],
});
const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: new Date('2026-01-01T00:00:01Z') };

describe('how far a pod has come', () => {
  it('is what its status says, and nothing is inferred', () => {
    const running = {
      ...container({ running: { startedAt: new Date('2026-01-01T00:00:02Z') } }),
      conditions: [scheduled],
    };
    assert.deepEqual(
      podStates(pod({})).map(({ state }) => state),
      ['created'],
    );
    assert.deepEqual(
      podStates(pod({ conditions: [scheduled] })).map(({ state }) => state),
      ['created', 'scheduled'],
    );
    assert.deepEqual(podStates(pod(running)), [
      { state: 'created', at: '2026-01-01T00:00:00.000Z' },
      { state: 'scheduled', at: '2026-01-01T00:00:01.000Z' },
      { state: 'started', at: '2026-01-01T00:00:02.000Z' },
    ]);
    assert.ok(isStarted(pod(running)));
    assert.ok(!isStarted(pod({ phase: 'Running' })), 'its phase alone says nothing of its container');
    assert.ok(!isStarted(pod(container({ waiting: { reason: 'ContainerCreating' } }))));
  });
});

describe('what keeps a pod from starting', () => {
  const cases: [string, V1PodStatus, { code: string; recovers: string } | undefined][] = [
    ['nothing while its container is created', container({ waiting: { reason: 'ContainerCreating' } }), undefined],
    ['unknown if no status gives a reason', {}, undefined],
    [
      'a failed pull',
      container({ waiting: { reason: 'ErrImagePull', message: 'not found' } }),
      { code: 'sandbox-image-unavailable', recovers: 'pull' },
    ],
    [
      'a pull that is tried again later',
      container({ waiting: { reason: 'ImagePullBackOff' } }),
      { code: 'sandbox-image-unavailable', recovers: 'pull' },
    ],
    [
      'an image that does not exist',
      container({ waiting: { reason: 'ErrImageNeverPull' } }),
      { code: 'sandbox-image-unavailable', recovers: 'never' },
    ],
    [
      'an invalid name',
      container({ waiting: { reason: 'InvalidImageName' } }),
      { code: 'sandbox-image-unavailable', recovers: 'never' },
    ],
    [
      'a missing secret',
      container({ waiting: { reason: 'CreateContainerConfigError' } }),
      { code: 'sandbox-not-started', recovers: 'never' },
    ],
    [
      'an error of the container runtime',
      container({ waiting: { reason: 'CreateContainerError' } }),
      { code: 'sandbox-not-started', recovers: 'maybe' },
    ],
    [
      'no room',
      { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'Insufficient cpu' }] },
      { code: 'sandbox-unschedulable', recovers: 'maybe' },
    ],
    [
      'its end',
      { phase: 'Failed', reason: 'Evicted', message: 'low on memory' },
      { code: 'sandbox-not-started', recovers: 'never' },
    ],
  ];
  for (const [what, status, expected] of cases) {
    it(`is ${what}`, () => {
      const problem = findProblem(pod(status));
      assert.deepEqual(problem && { code: problem.code, recovers: problem.recovers }, expected);
    });
  }
});

describe('the end of a pod', () => {
  const ended = (reason: string, message?: string): Plain<V1PodStatus> => ({
    phase: 'Failed',
    reason,
    ...(message !== undefined && { message }),
  });
  const cases: [string, V1Pod, { reason: string; ending?: string } | undefined][] = [
    ['has not happened while it runs', pod(container({ running: {} })), undefined],
    ['has not happened while it waits', pod({ phase: 'Pending' }), undefined],
    [
      'is out-of-memory if the kernel killed its container',
      pod({ ...container({ terminated: { exitCode: 137, reason: 'OOMKilled' } }), phase: 'Failed' }),
      { reason: 'OOMKilled', ending: 'out-of-memory' },
    ],
    [
      'is disk-full if a volume was over its limit',
      pod(ended('Evicted', 'Usage of EmptyDir volume "work" exceeds the limit "10Mi". ')),
      { reason: 'Evicted', ending: 'disk-full' },
    ],
    [
      'is disk-full if the pod was over its limit',
      pod(ended('Evicted', 'Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. ')),
      { reason: 'Evicted', ending: 'disk-full' },
    ],
    [
      'is disk-full if its container was over its limit',
      pod(ended('Evicted', 'Container sandbox exceeded its local ephemeral storage limit "1Gi". ')),
      { reason: 'Evicted', ending: 'disk-full' },
    ],
    [
      'is an eviction without its own fault if the node was short of something',
      pod(
        ended('Evicted', 'The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 1Mi.'),
      ),
      { reason: 'Evicted' },
    ],
    [
      'is its lifetime',
      pod(ended('DeadlineExceeded', 'Pod was active on the node longer than the specified deadline')),
      { reason: 'DeadlineExceeded' },
    ],
    [
      'is its container’s',
      pod({ ...container({ terminated: { exitCode: 0, reason: 'Completed' } }), phase: 'Succeeded' }),
      { reason: 'Completed' },
    ],
    [
      'begins when somebody deletes it',
      pod(container({ running: {} }), { deletionTimestamp: new Date() }),
      { reason: 'Deleted' },
    ],
  ];
  for (const [what, given, expected] of cases) {
    it(what, () => {
      const end = findEnd(given);
      assert.deepEqual(end && { reason: end.reason, ...(end.ending && { ending: end.ending }) }, expected);
    });
  }
});

describe('the end of a container', () => {
  it('is unexplained until the cluster says why', () => {
    const ended = { ...container({ terminated: { exitCode: 143, reason: 'Error' } }), phase: 'Failed' };
    assert.ok(isUnexplained(pod(ended)));
    assert.ok(!isUnexplained(pod({ ...ended, reason: 'Evicted' })));
    assert.ok(!isUnexplained(pod(ended, { deletionTimestamp: new Date() })));
    assert.ok(
      !isUnexplained(pod({ ...container({ terminated: { exitCode: 137, reason: 'OOMKilled' } }), phase: 'Failed' })),
    );
    assert.ok(!isUnexplained(pod(container({ running: {} }))));
  });
});

describe('the last warning of the events', () => {
  const event = (type: string, reason: string, seconds: number) => ({
    type,
    reason,
    message: `${reason} happened`,
    metadata: {},
    involvedObject: {},
    lastTimestamp: new Date(seconds * 1000),
  });
  it('is the latest, in its own words, whatever their order', () => {
    assert.equal(
      lastWarning([
        event('Warning', 'FailedMount', 5),
        event('Normal', 'Pulled', 9),
        event('Warning', 'FailedScheduling', 2),
      ]),
      'FailedMount: FailedMount happened',
    );
    assert.equal(lastWarning([event('Normal', 'Pulled', 9)]), undefined);
  });
});
