/** The blueprints that ship, on the repositories of their tests, by recorded sessions of a real model. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { createRecordedModel } from '../../model/recorded.ts';
import { loadRecording } from '../../worker/recording.ts';
import { readFixture, readLibrary } from './fixtures.ts';
import { createWorld } from './harness.ts';

/** Three sandboxes a run install from the package index, which takes a busy machine minutes. */
const timeoutMs = 7 * 60_000;

interface RecordedSession {
  name: string;
  recording: string;
  /** What the change's diff holds, and what it doesn't. */
  holds: RegExp[];
  lacks: RegExp[];
}

/** Registers the test of one blueprint. Each has a file of its own, since a file's time has a bound. */
export function testRecordedSession({ name, recording, holds, lacks }: RecordedSession): void {
  test(
    `the recorded session of ${name} ends in a change, and a second run finds nothing to do`,
    { timeout: timeoutMs },
    async () => {
      const session = await loadRecording(recording);
      await using world = await createWorld({ model: createRecordedModel(session) });
      const repository = `fixtures/${name}`;
      await world.addRepository(repository, await readFixture(name));
      const { end, state } = await world.run(await readLibrary(name), { repository });
      assert.equal(end.outcome, 'succeeded', `${end.reason} ${JSON.stringify(state.steps)}`);

      const tokens = session.entries.reduce(
        (sum, { response: { usage } }) => sum + usage.inputTokens + usage.outputTokens,
        0,
      );
      assert.equal(state.usage.inputTokens + state.usage.outputTokens, tokens, 'every recorded answer was used');
      assert.equal(state.steps.find(({ kind }) => kind === 'agent')?.state, 'skipped', 'nothing was left for an agent');
      const number = state.change?.number ?? 0;
      const diff = await world.forge.getDiff(repository, number);
      for (const pattern of holds) assert.match(diff, pattern);
      for (const pattern of lacks) assert.doesNotMatch(diff, pattern);

      await world.forge.merge(repository, number, 'reviewer', { unapproved: true });
      const again = await world.run(await readLibrary(name), { repository });
      assert.deepEqual([again.end.outcome, again.state.usage.inputTokens], ['nothing-to-do', 0], again.end.reason);
    },
  );
}
