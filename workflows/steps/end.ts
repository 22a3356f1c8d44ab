import type { EndStep } from '../../blueprints/kinds/end.ts';
import { RunEnded } from '../failures.ts';
import type { StepAction } from '../context.ts';
import { text } from '../render.ts';

/** Ends the run as the blueprint says. */
export const endStep: StepAction<EndStep> = (_run, { step, path, scope }) => {
  const { outcome } = step.end;
  throw new RunEnded({
    outcome,
    reason: text(step.end.reason, scope),
    step: path,
    ...(outcome === 'failed' && { code: 'ended-by-blueprint' }),
  });
};
