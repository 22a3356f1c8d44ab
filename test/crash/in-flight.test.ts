import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';
import { checkJourney, letGoOn, script, startJourney } from './journey.ts';
import type { Point, Trap } from './points.ts';

/**
 * A worker stands still, and another comes past the point; then the first goes on where it was, and ends: all that it
 * does late is done when this resolves.
 */
async function overtake(installation: Installation, past: Point, next?: Trap): Promise<void> {
  await installation.sprung();
  const { process: child, ended } = installation.worker;
  await installation.layTrap({ point: past, does: 'mark' });
  installation.takeOver();
  await installation.sprung();
  if (next) await installation.layTrap(next);
  child.kill('SIGCONT');
  assert.equal(await ended, 0);
}

describe('a run ends correctly and does nothing twice', { concurrent: true }, () => {
  test('if a worker is killed while a command runs, the next worker follows the command', async () => {
    await using installation = await createInstallation(script);
    await installation.layTrap({ point: 'during command run:slow', does: 'kill' });
    const journey = await startJourney(installation, 'mid-command', { pace: 'wait' });
    await installation.dies();
    await installation.layTrap({ point: 'during command run:slow', does: 'mark' });
    installation.takeOver();
    await installation.sprung();
    await letGoOn(installation, journey);
    await checkJourney(installation, journey);
  });

  test('if a worker is killed while the model answers, the next worker asks with the same key', async () => {
    await using installation = await createInstallation(script);
    const journey = await startJourney(installation, 'mid-answer', { pace: 'hang' });
    await installation.asked('fault');
    installation.worker.process.kill('SIGKILL');
    installation.takeOver();
    await checkJourney(installation, journey, { askedAgain: (question) => question.startsWith('rewrite') });
    assert.equal(installation.model.ledger.filter(({ outcome }) => outcome === 'fault').length, 1);
  });

  test('if a worker is killed after the change was opened and before it was recorded, there is one change', async () => {
    await using installation = await createInstallation(script);
    await installation.layTrap({ point: 'after change', does: 'kill' });
    const journey = await startJourney(installation, 'opened');
    await installation.dies();
    assert.equal((await installation.forge.listChanges(journey.repository)).length, 1);
    installation.takeOver();
    await checkJourney(installation, journey);
  });

  test('a worker that is stopped for longer than its heartbeat and then goes on repeats nothing and kills nothing', async () => {
    await using installation = await createInstallation(script, { workers: 4 });
    await installation.layTrap({ point: 'during command run:slow', does: 'stop' });
    const journey = await startJourney(installation, 'stopped', { pace: 'wait' });
    await overtake(installation, 'during command run:slow');

    await installation.layTrap({ point: 'after question run/fix/1', does: 'stop' });
    await letGoOn(installation, journey);
    await overtake(installation, 'after keeping model/run/fix/1', { point: 'before push', does: 'stop' });

    await overtake(installation, 'after push');
    await checkJourney(installation, journey, { askedAgain: (question) => question === 'fix/1' });
  });

  test('a worker that is stopped with open polls holds tasks, and the next worker still ends the run', async () => {
    await using installation = await createInstallation(script);
    await installation.layTrap({ point: 'during command run:slow', does: 'freeze' });
    const journey = await startJourney(installation, 'frozen', { pace: 'wait' });
    await installation.sprung();
    const { process: child, ended } = installation.worker;
    await letGoOn(installation, journey);
    installation.takeOver();
    await installation.client.result(journey.runId);
    // Now it carries out what it was given meanwhile, for a run that has ended.
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    await checkJourney(installation, journey);
  });

  test('a sandbox that is made after its removal is removed again, and nothing runs in it', async () => {
    await using installation = await createInstallation(script);
    await installation.layTrap({ point: 'before sandbox run-gate', does: 'stop' });
    const journey = await startJourney(installation, 'late');
    await overtake(installation, 'after push');
    await checkJourney(installation, journey);
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    test(`the Temporal server can be ended by ${signal} and started again on its file, twice in a run`, async () => {
      await using installation = await createInstallation(script);
      await installation.layTrap({ point: 'during command run:slow', does: 'mark' });
      const journey = await startJourney(installation, signal, { pace: 'wait' });
      await installation.sprung();
      await installation.restartServer(signal);
      await installation.layTrap({ point: 'before change', does: 'mark' });
      await letGoOn(installation, journey);
      await installation.sprung();
      await installation.restartServer(signal);
      await checkJourney(installation, journey);
    });
  }
});
