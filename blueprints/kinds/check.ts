import { z } from 'zod';
import { Commands, Glob } from '../values.ts';
import { commonKeys, type Kind, outcome } from './kind.ts';

const CheckStep = z.strictObject({
  ...commonKeys,
  check: Commands.meta({ description: 'Commands that decide by their exit code and their tests' }),
  gate: z.enum(['required', 'baseline', 'turn-green']).optional().meta({
    description:
      '`required` (the default): they must pass. `baseline`: only recorded, so that the same failures after the change are excused. `turn-green`: they must fail now, and pass after the change',
  }),
  'fails-with': z.string().min(1).max(1000).optional().meta({
    description: 'With `turn-green`: a text that their output must hold now, so that they fail for the right reason',
  }),
  counts: z.array(Glob).min(1).max(16).optional().meta({
    description: 'Globs of the reports that their test runners write: JUnit XML, TAP or `go test -json`',
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
  decides: ({ gate }) => gate !== 'baseline',
  check({ step, path }, report) {
    if (step?.['fails-with'] === undefined || step.gate === 'turn-green') return;
    report.addKey(
      [...path, 'fails-with'],
      'key-without-effect',
      '`fails-with` needs `gate: turn-green`: only such a check must fail',
    );
  },
};
