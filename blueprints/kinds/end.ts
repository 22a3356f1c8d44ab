import { z } from 'zod';
import type { NamedOutline } from '../outlines.ts';
import { Template } from '../values.ts';
import { commonKeys, type Kind, templates } from './kind.ts';

const EndStep = z.strictObject({
  ...commonKeys,
  end: z
    .strictObject({
      outcome: z
        .enum(['succeeded', 'nothing-to-do', 'needs-human', 'failed'])
        .meta({ description: 'How the run ends' }),
      reason: Template.meta({ description: 'Why, for people who look at the run' }),
    })
    .meta({ description: 'Ends the run' }),
});
export type EndStep = z.infer<typeof EndStep>;

export const endKind: Kind<EndStep> = {
  schema: EndStep,
  outputs: {},
  evaluated: templates('end', 'reason'),
  withoutEffect: ['env', 'timeout', 'retry', 'on-failure'],
  once: true,
  check({ step, path, before, next, around }, report) {
    if (!next || !isUnconditional(step) || around.length > 0 || before.some(endsEveryRun)) return;
    report.add(
      next.path,
      'unreachable-step',
      `the \`end\` on line ${report.line(path)} has no condition, so nothing after it can run`,
    );
  },
};

function endsEveryRun({ kind, step, around }: NamedOutline): boolean {
  return kind === 'end' && around.length === 0 && isUnconditional(step);
}

function isUnconditional(step: { if?: string | boolean | undefined } | undefined): boolean {
  return step !== undefined && (step.if === undefined || step.if === true);
}
