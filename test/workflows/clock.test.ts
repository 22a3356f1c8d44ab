import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { Clock } from '../../workflows/clock.ts';
import type { RunState } from '../../workflows/messages.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What happens, and how many milliseconds later the next thing does. */
const anyEvent = fc.record({
  what: fc.constantFrom(
    'begin a step',
    'end a step',
    'begin a wait',
    'end a wait',
    'end a wait twice',
    'new execution',
  ),
  which: fc.nat(9),
  thenMs: fc.integer({ min: 0, max: 10_000 }),
});

interface Step {
  end: () => void;
  endWait?: (() => void) | undefined;
}

/** A step that is at work until its end is called. */
function begin(clock: Clock): Step {
  const { promise, resolve } = Promise.withResolvers<void>();
  void clock.step(() => promise);
  return { end: resolve };
}

test('time counts unless something waits and nothing else is at work', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 40 }), async (events) => {
      vi.setSystemTime(1_000_000);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a clock reads nothing else of it
      const memory = { waitedMs: 0, shown: { startedAtMs: Date.now() } as RunState };
      let clock = new Clock(memory);
      let steps: Step[] = [];
      let countedMs = 0;
      const settle = () => new Promise((resolve) => setImmediate(resolve));
      for (const { what, which, thenMs } of events) {
        const step = steps[which % Math.max(steps.length, 1)];
        if (what === 'begin a step') steps.push(begin(clock));
        if (what === 'begin a wait' && step) step.endWait ??= clock.beginWait();
        if (what.startsWith('end a wait') && step) {
          step.endWait?.();
          if (what.endsWith('twice')) step.endWait?.();
          step.endWait = undefined;
        }
        if (what === 'end a step' && step) {
          step.endWait?.();
          step.end();
          steps = steps.filter((each) => each !== step);
        }
        await settle();
        if (what === 'new execution') {
          for (const each of steps) {
            each.endWait?.();
            each.end();
          }
          await settle();
          steps = [];
          clock = new Clock(memory);
        }
        const waits = steps.filter(({ endWait }) => endWait !== undefined).length;
        const isIdle = waits > 0 && waits === steps.length;
        assert.equal(clock.isIdle, isIdle);
        vi.setSystemTime(Date.now() + thenMs);
        if (!isIdle) countedMs += thenMs;
        assert.equal(clock.elapsedMs, countedMs);
      }
    }),
    { numRuns: 200 },
  );
});

test('a step that fails while it waits ends its wait', async () => {
  vi.setSystemTime(0);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a clock reads nothing else of it
  const memory = { waitedMs: 0, shown: { startedAtMs: 0 } as RunState };
  const clock = new Clock(memory);
  await assert.rejects(
    clock.step(() =>
      clock.wait(async () => {
        vi.setSystemTime(500);
        throw new Error('no');
      }),
    ),
    /no/,
  );
  assert.equal(clock.isIdle, false);
  assert.deepEqual([memory.waitedMs, clock.elapsedMs], [500, 0]);
});
