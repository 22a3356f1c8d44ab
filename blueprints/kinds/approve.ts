import { z } from 'zod';
import { Duration } from '../../base/durations.ts';
import { Template } from '../values.ts';
import { commonKeys, type Kind, outcome, templates } from './kind.ts';

const ApproveStep = z.strictObject({
  ...commonKeys,
  approve: z
    .strictObject({
      question: Template.optional().meta({ description: 'What people must decide' }),
      who: z
        .array(z.string().min(1).max(200))
        .max(50)
        .optional()
        .meta({ description: 'Who may decide; by default, anybody with access' }),
      wait: Duration.optional().meta({ description: 'How long the run waits for a decision' }),
      default: z
        .enum(['approve', 'reject'])
        .optional()
        .meta({ description: 'The decision if nobody decides in time; by default `reject`' }),
      rounds: z
        .number()
        .int()
        .min(1)
        .max(10)
        .optional()
        .meta({ description: 'How often this question may send the work back to an earlier step' }),
    })
    .meta({ description: 'A person decides' }),
});
export type ApproveStep = z.infer<typeof ApproveStep>;

export const approveKind: Kind<ApproveStep> = {
  schema: ApproveStep,
  outputs: {
    outcome,
    decision: { type: 'string', description: '`approve` or `reject`' },
    by: { type: 'string', description: 'Who decided; empty if the deadline did' },
    comment: { type: 'string', description: 'What they said' },
  },
  evaluated: templates('approve', 'question'),
  withoutEffect: ['env', 'timeout', 'retry', 'on-failure'],
};
