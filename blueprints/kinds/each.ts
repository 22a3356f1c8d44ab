import { z } from 'zod';
import type { Step } from '../schema.ts';
import type { Named } from '../steps.ts';
import { Identifier, Template } from '../values.ts';
import { commonKeys, type Kind, outcome } from './kind.ts';

const maxDepth = 2;

const EachKeys = z.strictObject({
  ...commonKeys,
  each: Template.meta({
    description: 'A list, such as `${{ steps.places.value }}`; `do` runs once for each of its items',
  }),
  as: Identifier.meta({ description: 'The name of the item in the expressions of `do`' }),
  'at-once': z
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'How many items are worked on at the same time' }),
  tolerate: z.number().int().min(0).max(10_000).optional().meta({ description: 'How many items may fail' }),
});

export interface EachStep extends z.infer<typeof EachKeys> {
  do: Step[];
}
export type NamedEachStep = Named<EachStep>;

export const eachKind: Kind<EachStep> = {
  schema: EachKeys,
  outputs: {
    outcome,
    count: { type: 'int', description: 'Items in the list' },
    succeeded: { type: 'int', description: 'Items whose steps succeeded' },
    failed: { type: 'int', description: 'Items with a step that failed' },
  },
  evaluated: [{ key: 'each', is: 'list' }],
  withoutEffect: ['env', 'timeout', 'retry'],
  check({ path, around }, report) {
    if (around.filter(({ block }) => block === 'each').length !== maxDepth) return;
    report.addKey([...path, 'each'], 'each-too-deep', `\`each\` can be nested only ${maxDepth} deep`);
  },
  children: {
    key: 'do',
    description: 'The steps for one item',
    max: 32,
    variable: 'as',
    hidden: (block) => ({
      because: `runs once for each item of \`${block}\``,
      hint: `\`steps.${block}\` has the counts`,
    }),
  },
};
