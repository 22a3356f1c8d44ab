import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createInstallation, type Installation } from './installation.ts';
import {
  checkEffects,
  checkLaunches,
  handedOver,
  script,
  slugOf,
  startJourney,
  type Journey,
  type Launches,
} from './journey.ts';
import type { Point } from './points.ts';

/** Each list is one run, whose worker is killed at each of its points. */
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

// One installation for all: its worker is killed once each run has come to its next point.
const courses = [
  ...Object.entries(passing).map(([name, points]) => ({ name, points, course: undefined })),
  ...Object.entries(failing).map(([name, points]) => ({ name, points, course: handedOver })),
];
const kills = Math.max(...courses.map(({ points }) => points.length));
let installation: Installation;
const launches: Launches[] = [];
beforeAll(async () => {
  installation = await createInstallation(script, {
    workers: kills + 1,
    checksAtOnce: courses.length,
    config: { runs: { heartbeatTimeoutMs: 2000 } },
  });
});
afterAll(() => installation[Symbol.asyncDispose]());

describe('a run whose worker is killed ends correctly and does nothing twice', () => {
  const journeys = new Map<string, Journey>();

  test('each worker is killed where the runs have come to their next points', async () => {
    await layTraps(0);
    for (const { name, course } of courses)
      journeys.set(name, await startJourney(installation, name, course && { course }));
    for (let index = 0; index < kills; index += 1) {
      const waiting = courses.filter(({ points }) => points[index] !== undefined);
      await Promise.all(waiting.map(({ name }) => installation.sprung(slugOf(name))));
      installation.worker.process.kill('SIGKILL');
      await installation.worker.ended;
      await layTraps(index + 1);
      installation.takeOver();
    }
  });

  for (const { name, points } of courses)
    test(`${name}: ${points.join(', ')}`, async () => {
      const journey = journeys.get(name);
      assert.ok(journey);
      launches.push(await checkEffects(installation, journey, { askedAgain: mayBeAskedAgain(points) }));
    });

  test('no command is launched twice, and no sandbox is left', () => checkLaunches(installation, launches));
});

async function layTraps(index: number): Promise<void> {
  for (const { name, points } of courses) {
    const point = points[index];
    if (point) await installation.layTrap({ point, does: 'wait' }, slugOf(name));
  }
}
