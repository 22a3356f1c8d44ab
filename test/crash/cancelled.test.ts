import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';
import { listBranches, script, startJourney } from './journey.ts';
import type { Point } from './points.ts';

const cleanedUpWithinMs = 30_000;

let installation: Installation;
beforeAll(async () => {
  installation = await createInstallation(script);
});
afterAll(() => installation[Symbol.asyncDispose]());

const cancel = (runId: string): Promise<void> => installation.client.cancel(runId, { by: 'ada', comment: 'enough' });

async function checkCancelled(runId: string, cancelledAtMs: number): Promise<void> {
  const end = await installation.client.result(runId);
  assert.deepEqual([end.outcome, end.reason], ['cancelled', 'Cancelled by ada: enough']);
  await installation.untilNoSandbox(cancelledAtMs + cleanedUpWithinMs - Date.now());
}

const places: Record<string, { point: Point; branches?: number }> = {
  'its repository is fetched': { point: 'before mirror' },
  'its sandbox is made': { point: 'before sandbox run' },
  'its checkout is made': { point: 'before command run:checkout' },
  'a command starts': { point: 'before command run:places' },
  'the model is asked': { point: 'before question run/fix/1' },
  'the agent acts': { point: 'before command run:run/fix/1/c00010001/2' },
  'its commit is pushed': { point: 'before push' },
  'it waits for CI': { point: 'after checks', branches: 2 },
};

for (const [what, { point, branches = 1 }] of Object.entries(places)) {
  test(`cancelled while ${what}, a run cleans up and ends as cancelled`, async () => {
    await installation.layTrap({ point, does: 'hold' });
    const { runId, repository } = await startJourney(installation, what);
    await installation.sprung();
    const cancelledAtMs = Date.now();
    await cancel(runId);
    await checkCancelled(runId, cancelledAtMs);
    assert.equal((await listBranches(installation, repository)).length, branches);
  });
}

test('cancelled while a command runs, a run kills it, cleans up and ends as cancelled', async () => {
  await installation.layTrap({ point: 'during command run:slow', does: 'mark' });
  const { runId } = await startJourney(installation, 'command', { pace: 'wait' });
  await installation.sprung();
  const cancelledAtMs = Date.now();
  await cancel(runId);
  await checkCancelled(runId, cancelledAtMs);
});

test('cancelled while the model answers, a run cleans up and ends as cancelled', async () => {
  const { runId } = await startJourney(installation, 'answer', { pace: 'hang' });
  await installation.asked('fault');
  const cancelledAtMs = Date.now();
  await cancel(runId);
  await checkCancelled(runId, cancelledAtMs);
});

test('cancelled before any worker takes it up, a run ends as cancelled without a sandbox', async () => {
  installation.worker.process.kill('SIGKILL');
  await installation.worker.ended;
  await installation.takeLaunches();
  const { runId } = await startJourney(installation, 'queue');
  const cancelled = cancel(runId);
  installation.takeOver();
  const cancelledAtMs = Date.now();
  await cancelled;
  await checkCancelled(runId, cancelledAtMs);
  assert.deepEqual(
    (await installation.takeLaunches()).filter((folder) => !folder.includes('/ci-')),
    [],
  );
});
