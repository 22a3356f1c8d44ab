/**
 * The language, v1, as zod definitions of what an author writes.
 *
 * The parser, the workflow's entry check, the JSON Schema for editors and the reference in docs/ are all made from
 * these definitions. Nothing is transformed (a duration stays `10m`), so parsing a parsed blueprint again gives the
 * same value.
 */
import { z } from 'zod';
import { Duration } from '../base/durations.ts';
import { forEachKind, kinds, type StepKind, stepKinds, type StepOfTable } from './kinds/kinds.ts';
import { Host } from './hosts.ts';
import { Command, EnvironmentName, Identifier } from './values.ts';

export const outcomes = ['succeeded', 'nothing-to-do', 'needs-human', 'failed', 'cancelled'] as const;
export const Outcome = z.enum(outcomes);
export type Outcome = z.infer<typeof Outcome>;

export const Input = z
  .strictObject({
    type: z
      .enum(['string', 'integer', 'number', 'boolean', 'list'])
      .meta({ description: 'The type of its value; a `list` is a list of texts' }),
    description: z
      .string()
      .max(1000)
      .optional()
      .meta({ description: 'What the value means, for people who start a run' }),
    default: z
      .union([z.string(), z.number(), z.boolean(), z.array(z.string())])
      .optional()
      .meta({ description: 'Its value if none is given' }),
    enum: z
      .array(z.string())
      .min(1)
      .optional()
      .meta({ description: 'The values that a `string`, or each text of a `list`, may have' }),
  })
  .meta({ description: 'An input; one without a default must be given at the start' });
export type Input = z.infer<typeof Input>;

const Size = z
  .string()
  .regex(/^[1-9][0-9]{0,5}(Mi|Gi)$/, { error: 'a size is a whole number with Mi or Gi, such as 512Mi' });

const SandboxSection = z.strictObject({
  image: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .meta({ description: 'A container image; the local provider does not use it' }),
  setup: z
    .array(Command)
    .max(32)
    .optional()
    .meta({ description: 'Commands that prepare a checkout, such as installing dependencies' }),
  history: z.enum(['base', 'all']).optional().meta({
    description:
      'What git knows in a checkout. `base` (the default): the history and tags of the commit that the run starts from, whose branch is there by its name and as `origin/NAME`. `all`: also the other branches, as `origin/NAME`, and all tags',
  }),
  resources: z
    .strictObject({
      cpu: z.number().positive().max(64).optional().meta({ description: 'Processor cores' }),
      memory: Size.optional().meta({ description: 'Memory, such as `512Mi` or `2Gi`' }),
      disk: Size.optional().meta({ description: 'Room for files, such as `4Gi`' }),
      processes: z
        .number()
        .int()
        .min(8)
        .max(32_768)
        .optional()
        .meta({ description: 'How many processes and threads may exist at once' }),
    })
    .optional()
    .meta({ description: 'What the commands of a run may use' }),
  egress: z
    .array(Host)
    .max(64)
    .optional()
    .meta({ description: 'Hosts that commands may reach; everything else is refused' }),
  env: z
    .record(EnvironmentName, z.string().max(8192))
    .optional()
    .meta({ description: 'Environment of every command; put no secrets here' }),
});

export const BudgetSection = z.strictObject({
  usd: z.number().positive().max(10_000).optional().meta({ description: 'US dollars that models may cost' }),
  tokens: z
    .number()
    .int()
    .nonnegative()
    .max(1_000_000_000)
    .optional()
    .meta({ description: 'Tokens to and from models; 0 allows no model' }),
  turns: z
    .number()
    .int()
    .nonnegative()
    .max(10_000)
    .optional()
    .meta({ description: 'Questions to models; 0 allows none' }),
  time: Duration.optional().meta({ description: 'How long the run may take, not counting waits for CI and people' }),
});
export type BudgetSection = z.infer<typeof BudgetSection>;

/** A step of any kind. */
export type Step = StepOfTable;

/**
 * The schema of a kind's steps, with their inner steps. `inner` gives the schema of an inner step. It is called when
 * the schema is first used, so that a step's schema can contain itself.
 */
export function stepSchema(kind: StepKind, inner: () => z.ZodType): z.ZodType<Step> {
  const { schema, children } = kinds[kind];
  const whole = children
    ? schema.extend({
        get [children.key]() {
          return z.array(inner()).min(1).max(children.max).meta({ description: children.description });
        },
      })
    : schema;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a table of schemas loses which gives what
  return whole as z.ZodType as z.ZodType<Step>;
}

/** The schema of each kind's steps. */
export const stepSchemas = forEachKind((kind) => stepSchema(kind, () => Step));

export const Step: z.ZodType<Step> = z
  .lazy(() => z.union(Object.values(stepSchemas)))
  .meta({ id: 'Step', description: `A step has exactly one action key: ${stepKinds.join(', ')}` });

export const Blueprint = z.strictObject({
  blueprint: z.literal('v1').meta({ description: 'The version of the language' }),
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, {
      error: 'a name begins with a small letter and has only small letters, digits and -',
    })
    .meta({ description: 'The name of the blueprint; part of branches and of the ids of runs' }),
  title: z.string().min(1).max(200).optional().meta({ description: 'What it changes, in a few words' }),
  description: z.string().max(4000).optional().meta({ description: 'What it changes, and when to use it' }),
  inputs: z
    .record(Identifier, Input)
    .optional()
    .meta({ description: 'The values that a run is started with, by name' }),
  sandbox: SandboxSection.optional().meta({ description: 'Where the commands of a run execute' }),
  budget: BudgetSection.optional().meta({ description: 'What a run may spend; checked before it spends more' }),
  steps: z.array(Step).min(1).max(200).meta({ description: 'What the run does, in order' }),
});
export type Blueprint = z.infer<typeof Blueprint>;

/** The kind of a step: its one action key. */
export function stepKind(step: Step): StepKind {
  const kind = stepKinds.find((key) => Object.hasOwn(step, key));
  if (!kind) throw new TypeError('a step without an action key');
  return kind;
}
