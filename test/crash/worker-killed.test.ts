import { describe, test, vi } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';
import { checkJourney, handedOver, script, startJourney } from './journey.ts';
import type { Point } from './points.ts';

/** Each list is one run, whose worker is killed at each of its points, one worker after the other. */
const passing: Record<string, Point[]> = {
  'before its effects': [
    'before mirror',
    'before sandbox run',
    'before command run:setup/0',
    'before command run:places',
    'before question run/rewrite[0].ask/1',
    'before look tool/run/fix/1/c00010001',
    'before command run:run/fix/1/c00010001/2',
    'before quarantine run/fix/verify/2',
    'before push',
    'before change',
    'before command ci:check',
    'before removal run',
  ],
  'after its effects': [
    'after sandbox run',
    'after command run:setup/0',
    'after command run:before/0',
    'after question run/rewrite[0].ask/1',
    'after command run:rewrite[0].edit/2',
    'after question run/fix/1',
    'after keeping model/run/fix/2',
    'after command run:run/fix/3/c00030001/1',
    'after quarantine run/change',
    'after removal run-gate',
    'after push',
    'after command ci:check',
    'after removal run',
  ],
  'between its effects': [
    'after command run:checkout',
    'before command run:rewrite[1].edit/1',
    'before keeping model/run/fix/1',
    'after command run:run/fix/verify/2/0',
    'before keeping tool/run/fix/3/c00030001',
    'after sandbox run-gate',
    'after command run-gate:change/gate/0/0',
    'before checks',
    'before removal ci',
  ],
};

/** The same for runs whose CI fails twice. */
const failing: Record<string, Point[]> = {
  'before the effects of a second round': [
    'after checks',
    'before question run/ci/round-2/1',
    'before command run:run/ci/round-2/1/c00010001/1',
    'before quarantine run/ci/round-2',
    'before sandbox run-gate-2',
    'before push',
    'before comment',
  ],
  'after the effects of a second round': [
    'after command ci:check',
    'after command run:run/ci/round-2/1/c00010001/1',
    'after command run-gate-2:ci/round-2/gate/0/0',
    'after removal run-gate-2',
    'after push',
    'after command ci:check',
    'after comment',
  ],
};

/** Of an answer that came and was not kept yet, the server is asked once more; so it is for what was asked at the same time. */
function mayBeAskedAgain(points: Point[]): (question: string) => boolean {
  const lost = points
    .filter((point) => /^(after question|before keeping model)/.test(point))
    .map((point) => point.replace(/^.* (model\/)?run\//, '').replace(/\[\d\]/, ''));
  return (question) => lost.includes(question.replace(/\[\d\]/, ''));
}

// Most of the time they wait for a worker to start.
vi.setConfig({ maxConcurrency: 3 });
describe('a run whose worker is killed ends correctly and does nothing twice', { concurrent: true }, () => {
  for (const [name, points] of Object.entries(passing))
    test(`${name}: ${points.join(', ')}`, () => checkKilled(name, points));
  for (const [name, points] of Object.entries(failing))
    test(`${name}: ${points.join(', ')}`, () => checkKilled(name, points, handedOver));
});

async function checkKilled(name: string, points: Point[], course?: typeof handedOver): Promise<void> {
  await using installation = await createInstallation(script);
  await layTrap(installation, points, 0);
  const journey = await startJourney(installation, name, course && { course });
  for (const index of points.keys()) {
    await installation.dies();
    await layTrap(installation, points, index + 1);
    installation.takeOver();
  }
  await checkJourney(installation, journey, { askedAgain: mayBeAskedAgain(points) });
}

async function layTrap(installation: Installation, points: Point[], index: number): Promise<void> {
  const point = points[index];
  if (point) await installation.layTrap({ point, does: 'kill' });
}
