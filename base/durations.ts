/** Durations as people write and read them. */
import { z } from 'zod';

/** The longest duration that is accepted. */
const maxDurationMs = 30 * 24 * 3600_000;

const durationRule = 'a duration is a whole number and a unit, such as 90s, 10m or 2h';

export const Duration = z
  .string({ error: durationRule })
  .regex(/^[1-9][0-9]{0,6}(ms|s|m|h)$/, { error: durationRule, abort: true })
  .refine((text) => durationMs(text) <= maxDurationMs, { error: 'a duration is at most 720h, which is 30 days' })
  .meta({ description: 'A duration such as `90s`, `10m` or `2h`', examples: ['10m'] });

const unitsMs = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3600_000],
]);

/** A duration for people, such as `1.5 s`, `3 min 20 s` or `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Milliseconds of a checked {@link Duration}. */
export function durationMs(duration: string): number {
  const [, count = '', unit = ''] = /^([0-9]+)(ms|s|m|h)$/.exec(duration) ?? [];
  return Number.parseInt(count, 10) * (unitsMs.get(unit) ?? Number.NaN);
}
