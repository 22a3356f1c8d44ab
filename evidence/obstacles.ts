/** Why a command could not do its work at all. Such a failure says nothing about the code that it should have checked. */
import { z } from 'zod';

/**
 * `program-missing`, `download-failed` and `limit` come from the surroundings; the command crashed or hung by itself,
 * or because of what it ran.
 */
export const Obstacle = z.strictObject({
  kind: z.enum(['program-missing', 'download-failed', 'limit', 'deadline', 'crash']),
  /** In a few words. Parts of it are untrusted. */
  what: z.string(),
});
export type Obstacle = z.infer<typeof Obstacle>;

/** Whether it is the surroundings that have to be changed before the command can say anything. */
export function isOfSurroundings({ kind }: Obstacle): boolean {
  return kind === 'program-missing' || kind === 'download-failed' || kind === 'limit';
}
