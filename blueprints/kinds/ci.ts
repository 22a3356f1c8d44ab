import { z } from 'zod';
import { Duration } from '../../base/durations.ts';
import { Commands } from '../values.ts';
import { commonKeys, type Kind, outcome } from './kind.ts';

const CiStep = z.strictObject({
  ...commonKeys,
  ci: z
    .strictObject({
      rounds: z.number().int().min(1).max(2).optional().meta({
        description: 'How often the run waits for CI; after each wait but the last, it tries to repair what failed',
      }),
      wait: Duration.optional().meta({ description: 'How long the run waits each time' }),
      autofix: Commands.optional().meta({
        description: 'Commands that fix what code can fix; they run before a model is asked',
      }),
    })
    .meta({ description: 'Waits for the checks of the code host, and repairs what failed' }),
});
export type CiStep = z.infer<typeof CiStep>;

export const ciKind: Kind<CiStep> = {
  schema: CiStep,
  outputs: {
    outcome,
    passed: { type: 'bool', description: 'Whether every check of the code host passed' },
    rounds: { type: 'int', description: 'How often the run waited for CI' },
  },
  evaluated: [{ key: 'ci', inner: 'autofix', is: 'commands' }],
  withoutEffect: ['timeout', 'retry'],
  once: true,
  check({ path, before }, report) {
    if (before.some(({ kind }) => kind === 'change')) return;
    report.addKey([...path, 'ci'], 'ci-without-change', '`ci` needs a `change` step before it');
  },
};
