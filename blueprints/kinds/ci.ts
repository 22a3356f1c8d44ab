import { z } from 'zod';
import { Duration } from '../../base/durations.ts';
import { Commands } from '../values.ts';
import { commonKeys, type Kind, outcome } from './kind.ts';

const CiStep = z.strictObject({
  ...commonKeys,
  ci: z
    .strictObject({
      rounds: z.number().int().min(1).max(2).optional().meta({ description: 'How often CI is waited for' }),
      wait: Duration.optional().meta({ description: 'How long each time' }),
      autofix: Commands.optional().meta({
        description: 'Commands that mend what code can mend, tried before a model is',
      }),
    })
    .meta({ description: 'Waits for the checks of the forge, and mends what failed' }),
});
export type CiStep = z.infer<typeof CiStep>;

export const ciKind: Kind<CiStep> = {
  schema: CiStep,
  outputs: {
    outcome,
    passed: { type: 'bool', description: 'Whether every check of the forge passed' },
    rounds: { type: 'int', description: 'How often CI was waited for' },
  },
  evaluated: [{ key: 'ci', inner: 'autofix', is: 'commands' }],
  withoutEffect: ['timeout', 'retry'],
  once: true,
  check({ path, before }, report) {
    if (before.some(({ kind }) => kind === 'change')) return;
    report.addKey([...path, 'ci'], 'ci-without-change', '`ci` needs a `change` step before it');
  },
};
