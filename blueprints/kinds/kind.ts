/** The definition of a kind of step. Each of the other files here defines one kind; `kinds.ts` lists them. */
import { z } from 'zod';
import { Duration } from '../../base/durations.ts';
import type { ErrorCode } from '../../base/errors.ts';
import type { Json, JsonMap } from '../../base/json.ts';
import type { Doubles } from '../cel-values.ts';
import type { KeyPath } from '../issues.ts';
import type { NamedOutline } from '../outlines.ts';
import type { Report } from '../report.ts';
import { EnvironmentName, Expression, Identifier, TemplateOrNumber } from '../values.ts';

/** Everything that the language knows about a kind of step. `S` is the type of its steps. */
export interface Kind<S> {
  /** The keys of a step: its own and {@link commonKeys}. The key that holds a block's steps is not among them. */
  schema: z.ZodObject;
  /** The outputs that expressions read as `steps.ID.NAME`. The kind's action gives exactly these, or some of them. */
  outputs: Outputs;
  /** The outputs of steps that differ from the others of the kind. */
  variants?: readonly Variant[];
  /** The variant of a step; undefined if it has the outputs of its kind. */
  variantOf?(step: S): Variant | undefined;
  /** The keys that hold templates and commands, besides those that every kind has. */
  evaluated: readonly Evaluated[];
  /** Common keys that are refused, because they would have no effect. */
  withoutEffect?: readonly CommonKey[];
  /** The step asks a model. */
  asksModel?: true;
  /** The step happens once in a run, so it can't be inside a block. */
  once?: true;
  /** Reports what is wrong with a step beyond its shape. Called in the order of the text. */
  check?(placed: PlacedStep<S>, report: Report): void;
  /** The JSON Schema that a model's answer must fit, and its path in the step. */
  answerOf?(step: S): { path: KeyPath; schema: JsonMap };
  /** Whether the step has checks that decide on the work so far. */
  decides?(step: S): boolean;
  /** What is said of the step if no such check decides on its work. */
  unchecked?: Unchecked;
  /** The members that an output is known to have; undefined if it may have any. */
  membersOf?(step: S, output: string): Members | undefined;
  /** The places of an output whose numbers are doubles; undefined if there are none. */
  doublesOf?(step: S, output: string): Doubles | undefined;
  /** Makes the kind a block: a step that holds steps. */
  children?: Children;
}

/** A type of the expression language. A `double` stays a double even if its number is whole. */
export type OutputType = 'bool' | 'int' | 'double' | 'string' | 'list<string>' | 'dyn';

export interface Output {
  type: OutputType;
  description: string;
  /** Its value after a failure that left it unknown; by default, the empty value of its type. */
  ifUnknown?: Json;
  /** What a step needs in order to have this output, if not every step of the kind has it. */
  needs?: string;
}

export type Outputs = Readonly<Record<string, Output>>;

export interface Variant {
  outputs: Outputs;
  /**
   * The name of such a step in messages about types, such as `run step with lines`. Needed if an output has another
   * type.
   */
  typeName?: string;
}

/** The output of every step that can fail without ending the run, or be skipped. */
export const outcome: Output = { type: 'string', description: '`succeeded`, `failed` or `skipped`' };

/** A key of a step, or a key inside it, whose value is evaluated or read by a shell. */
export interface Evaluated {
  key: string;
  inner?: string;
  /** A root that can be read here and nowhere else. */
  reads?: 'evidence';
  /** `condition`: bare CEL; `list`: a template that gives a list; the last three hold several texts. */
  is: 'condition' | 'template' | 'list' | 'templates' | 'command' | 'commands';
}

/** Templates at the `inner` keys of a key. */
export function templates(key: string, ...inner: string[]): Evaluated[] {
  return inner.map((each) => ({ key, inner: each, is: 'template' }));
}

/** A step of a blueprint that may have mistakes. */
interface PlacedStep<S> extends Omit<NamedOutline, 'step'> {
  /** The correct part of the step; undefined if that is not a step of its kind. */
  step?: S | undefined;
  /** Every step that comes earlier in the text, also inside blocks. */
  before: readonly NamedOutline[];
  /** The step after it in its list. */
  next: NamedOutline | undefined;
}

interface Unchecked {
  /** Where a check would decide: before the step, or in it or after it. */
  unless: 'earlier' | 'later';
  code: ErrorCode;
  message: string;
  hint: string;
}

interface Members {
  /** The owner of the members, such as `the answer`. */
  of: string;
  names: readonly string[];
}

/** The steps that a block holds. */
export interface Children {
  /** The key that holds them. */
  key: string;
  description: string;
  max: number;
  /** The key that names the variable for the inner steps. */
  variable?: string;
  /** Why nothing outside the block can read the inner steps, and what it can read instead. */
  hidden(block: string): { because: string; hint: string };
}

/** Keys that a step of any kind may have. */
export const commonKeys = {
  id: Identifier.optional().meta({
    description: 'The name of this step in expressions; by default, made from its kind',
  }),
  title: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'What the step does, for people who look at a run' }),
  if: z.union([Expression, z.boolean()]).optional().meta({ description: 'The step is skipped if this is false' }),
  timeout: Duration.optional().meta({ description: 'How long the step may take' }),
  retry: z.number().int().min(0).max(10).optional().meta({
    description:
      'How often the step is tried again if a model’s server, a forge or the machine fails. 0: never. A lost worker does not count, and a command never runs twice',
  }),
  'on-failure': z
    .enum(['stop', 'continue'])
    .optional()
    .meta({ description: 'Whether the run goes on if this step fails; by default `stop`' }),
  env: z
    .record(EnvironmentName, TemplateOrNumber)
    .optional()
    .meta({ description: 'Environment variables for the commands of this step; use them to pass values to a shell' }),
};
type CommonKey = keyof typeof commonKeys;

/** The keys of any step that hold something to evaluate. */
export const commonEvaluated: readonly Evaluated[] = [
  { key: 'if', is: 'condition' },
  { key: 'env', is: 'templates' },
];
