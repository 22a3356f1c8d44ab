import { z } from 'zod';
import { Duration } from '../../base/durations.ts';
import { Template } from '../values.ts';
import { commonKeys, type Kind, outcome, templates } from './kind.ts';

const ApproveStep = z.strictObject({
  ...commonKeys,
  approve: z
    .strictObject({
      question: Template.optional().meta({ description: 'What is to be decided' }),
      who: z
        .array(z.string().max(200))
        .max(50)
        .optional()
        .meta({ description: 'Who may decide; anybody with access where missing' }),
      wait: Duration.optional().meta({ description: 'How long the decision is waited for' }),
      default: z
        .enum(['approve', 'reject'])
        .optional()
        .meta({ description: 'What the deadline decides; `reject` where missing' }),
      rounds: z
        .number()
        .int()
        .min(1)
        .max(10)
        .optional()
        .meta({ description: 'How often the work may be sent back to a step before this one' }),
    })
    .meta({ description: 'A person decides' }),
});
export type ApproveStep = z.infer<typeof ApproveStep>;

export const approveKind: Kind<ApproveStep> = {
  schema: ApproveStep,
  outputs: {
    outcome,
    decision: { type: 'string', description: '`approve` or `reject`' },
    by: { type: 'string', description: 'Who decided; empty where the deadline did' },
    comment: { type: 'string', description: 'What they said' },
  },
  evaluated: templates('approve', 'question'),
  withoutEffect: ['env', 'timeout', 'retry', 'on-failure'],
};
