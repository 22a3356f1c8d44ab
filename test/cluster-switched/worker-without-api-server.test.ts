import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'vitest';
import { getCluster } from '../cluster/cluster.ts';
import { startWaitingRun } from '../cluster/waiting-run.ts';

const cluster = await getCluster();

test(
  'if the API server is away for 60 s during a command in a pod, the command goes on and no second pod is made',
  { skip: cluster.cannotSwitch !== undefined, timeout: 280_000 },
  async () => {
    await using run = await startWaitingRun();
    const pod = await run.whereBegun();
    await cluster.stopApiServer();
    // The time is what is tested: it is longer than any one try of the worker's.
    await wait(60_000);
    await cluster.startApiServer();
    assert.deepEqual(await run.listPods(), [pod]);
    await run.letGoOn(pod);
    await run.checkEnd();
  },
);
