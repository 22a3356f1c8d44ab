import { z } from 'zod';
import { Commands } from '../values.ts';
import { commonKeys, type Kind, outcome } from './kind.ts';

const CheckStep = z.strictObject({
  ...commonKeys,
  check: Commands.meta({ description: 'Commands that decide by their exit code' }),
  gate: z.enum(['required', 'baseline']).optional().meta({
    description: '`baseline` only records what fails before the change; `required` (the default) stops the run',
  }),
});
export type CheckStep = z.infer<typeof CheckStep>;

export const checkKind: Kind<CheckStep> = {
  schema: CheckStep,
  outputs: {
    outcome,
    passed: { type: 'bool', description: 'Whether every command exited with 0' },
    failed: { type: 'list<string>', description: 'The commands that did not' },
  },
  evaluated: [{ key: 'check', is: 'commands' }],
};
