/** What a kind of step is. A file beside this one defines a kind; `kinds.ts` lists them. */
import { z } from 'zod';
import { Duration } from '../../base/durations.ts';
import type { NamedOutline } from '../outlines.ts';
import type { Report } from '../report.ts';
import { EnvironmentName, Expression, Identifier, TemplateOrNumber } from '../values.ts';

/** A definition of a kind. `S` is the type of its steps. */
export interface Kind<S> {
  /** The keys of a step: its own and {@link commonKeys}. The key that holds the steps of a block is left out. */
  schema: z.ZodObject;
  /** What a step leaves for expressions, as `steps.ID.NAME`. Its action gives exactly these, or some of them. */
  outputs: Outputs;
  /** What some steps of the kind leave instead. */
  variants?: readonly Variant[];
  /** The variant that a step is; undefined where it has the outputs of its kind. */
  variantOf?(step: S): Variant | undefined;
  /** Where a step holds templates and commands, beside the keys that every kind has. */
  evaluated: readonly Evaluated[];
  /** Common keys that are refused, because they would have no effect. */
  withoutEffect?: readonly CommonKey[];
  /** It happens once in a run, so it can't stand inside of a block. */
  once?: true;
  /** Reports what is wrong with a step beyond its shape. Called in the order of the text. */
  check?(placed: PlacedStep<S>, report: Report): void;
  /** The members that an output is known to have; undefined where it may have any. */
  membersOf?(step: S, output: string): Members | undefined;
  /** Makes the kind a block: its steps hold steps. */
  children?: Children;
}

/** A type of the expression language. The numbers of a `double` stay doubles though they may be whole. */
export type OutputType = 'bool' | 'int' | 'double' | 'string' | 'list<string>' | 'dyn';

export interface Output {
  type: OutputType;
  description: string;
  /** What a step must have for this output, where not every step of the kind has it. */
  needs?: string;
}

export type Outputs = Readonly<Record<string, Output>>;

export interface Variant {
  outputs: Outputs;
  /** What messages about types call such a step: `run step with lines`. Needed where an output has another type. */
  typeName?: string;
}

/** The output that every step has that can be passed over or skipped. */
export const outcome: Output = { type: 'string', description: '`succeeded`, `failed` or `skipped`' };

/** A key of a step, or one inside of it, whose value is evaluated or read by a shell. */
export interface Evaluated {
  key: string;
  inner?: string;
  /** `condition`: bare CEL; `list`: a template that gives a list; the last three hold several texts. */
  is: 'condition' | 'template' | 'list' | 'templates' | 'command' | 'commands';
}

/** Templates at keys inside of one key. */
export function templates(key: string, ...inner: string[]): Evaluated[] {
  return inner.map((each) => ({ key, inner: each, is: 'template' }));
}

/** A step in a blueprint that may be wrong in places. */
interface PlacedStep<S> extends Omit<NamedOutline, 'step'> {
  /** What is right of it; undefined where that is no step of its kind. */
  step?: S | undefined;
  /** Every step that stands earlier in the text, inside of blocks too. */
  before: readonly NamedOutline[];
  /** The step after it in its list. */
  next: NamedOutline | undefined;
}

interface Members {
  /** What has them: `the answer`. */
  of: string;
  names: readonly string[];
}

/** The steps that a block holds. */
export interface Children {
  /** The key that holds them. */
  key: string;
  description: string;
  max: number;
  /** The key that names the variable which they alone can read. */
  variable?: string;
  /** Why nothing outside of a block can read them, and what it can read instead. */
  hidden(block: string): { because: string; hint: string };
}

/** Keys that a step of any kind may have. */
export const commonKeys = {
  id: Identifier.optional().meta({ description: 'How expressions call this step; made from its kind where missing' }),
  title: z.string().min(1).max(200).optional().meta({ description: 'What the step does, for whoever looks at a run' }),
  if: z.union([Expression, z.boolean()]).optional().meta({ description: 'The step is skipped where this is false' }),
  timeout: Duration.optional().meta({ description: 'How long the step may take' }),
  retry: z.number().int().min(0).max(10).optional().meta({
    description:
      'How often what the step asks for is tried again where something around it broke: a model’s server, a forge, the machine; 0: one try. The death of a worker does not count, and a command is never run twice',
  }),
  'on-failure': z
    .enum(['stop', 'continue'])
    .optional()
    .meta({ description: 'Whether the run goes on after this step failed; `stop` where missing' }),
  env: z
    .record(EnvironmentName, TemplateOrNumber)
    .optional()
    .meta({ description: 'Environment of the commands of this step; the way for values to reach a shell' }),
};
type CommonKey = keyof typeof commonKeys;

/** Where any step holds something to evaluate. */
export const commonEvaluated: readonly Evaluated[] = [
  { key: 'if', is: 'condition' },
  { key: 'env', is: 'templates' },
];
