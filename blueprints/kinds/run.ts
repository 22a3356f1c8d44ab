import { z } from 'zod';
import { Command } from '../values.ts';
import { commonKeys, type Kind, outcome, type Output, type Variant } from './kind.ts';

const RunStep = z.strictObject({
  ...commonKeys,
  run: Command.meta({
    description:
      'A command whose output other steps can read: a shell script without `${{ }}`, or one program with its arguments, as a list',
  }),
  parse: z.enum(['json', 'lines']).optional().meta({ description: 'Standard output as a value: `steps.ID.value`' }),
});
export type RunStep = z.infer<typeof RunStep>;

const withoutValue = {
  outcome,
  exitCode: { type: 'int', description: 'The exit code; -1 if there is none', ifUnknown: -1 },
  stdout: { type: 'string', description: 'Standard output, without the line break at its end' },
  stderr: { type: 'string', description: 'Standard error, without the line break at its end' },
  durationMs: { type: 'int', description: 'How long the command took, in milliseconds' },
} as const;

const value: Output = {
  type: 'dyn',
  description: 'Standard output as `parse` reads it; only if `parse` is set',
  needs: '`parse: json` or `parse: lines`',
};

const unparsed: Variant = { outputs: withoutValue };
const lines: Variant = {
  outputs: { ...withoutValue, value: { ...value, type: 'list<string>' } },
  typeName: 'run step with lines',
};

export const runKind: Kind<RunStep> = {
  schema: RunStep,
  outputs: { ...withoutValue, value },
  variants: [unparsed, lines],
  variantOf({ parse }) {
    if (parse === undefined) return unparsed;
    return parse === 'lines' ? lines : undefined;
  },
  evaluated: [{ key: 'run', is: 'command' }],
};
