/** The exit codes of commands. `jig --help` and the docs list these. */
import type { Outcome } from '../blueprints/schema.ts';

export const exitCodes = {
  done: 0,
  failed: 1,
  badInput: 2,
  needsHuman: 3,
  cancelled: 4,
  internal: 70,
  detached: 130,
} as const;

const byOutcome: Record<Outcome, number> = {
  succeeded: exitCodes.done,
  'nothing-to-do': exitCodes.done,
  failed: exitCodes.failed,
  'needs-human': exitCodes.needsHuman,
  cancelled: exitCodes.cancelled,
};

/** The exit code for a run's outcome. */
export function exitCodeOf(outcome: Outcome): number {
  return byOutcome[outcome];
}
