/**
 * The language, v1, as zod definitions over the shape that an author writes.
 *
 * There is one definition for everything: the parser, the workflow's door, the JSON Schema for editors and the
 * reference in docs/ are made from it. Nothing is transformed on the way (a duration stays `10m`), so a blueprint that
 * was parsed once can be parsed again to the same value.
 */
import { z } from 'zod';
import { Duration } from '../base/durations.ts';

export const outcomes = ['succeeded', 'nothing-to-do', 'needs-human', 'failed', 'cancelled'] as const;
export const Outcome = z.enum(outcomes);
export type Outcome = z.infer<typeof Outcome>;

/** A name that CEL can read after a dot: `steps.survey`. */
export const Identifier = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, { error: 'a name starts with a small letter, then small letters, digits and _' });

/** A CEL expression without braces, as in `if:`. */
const Expression = z.string().min(1).max(4096).meta({ description: 'A CEL expression, without `${{ }}`' });

/** Text in which `${{ }}` is evaluated. */
const Template = z.string().max(65_536).meta({ description: 'Text; `${{ expression }}` is evaluated in it' });

const TemplateOrNumber = z.union([Template, z.number().int()]);

/** A command: a string is a shell script (no `${{ }}` in it), a list is the words of one program, without a shell. */
export const Command = z.union([z.string().min(1).max(16_384), z.array(Template).min(1).max(256)]).meta({
  description: 'A shell script without `${{ }}`, or the list of words of one program (each may hold `${{ }}`)',
});
export type Command = z.infer<typeof Command>;

/** The name of an environment variable. */
const EnvironmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'a variable is named with letters, digits and _' });

const Commands = z.array(Command).min(1).max(32);

/** An answer's shape as JSON Schema. It is given to the model's server and its answer is held to it. */
export const JsonSchema = z.record(z.string(), z.json()).meta({ description: 'A JSON Schema' });
export type JsonSchema = z.infer<typeof JsonSchema>;

export const agentTools = ['read', 'edit', 'write', 'search', 'shell'] as const;
export const AgentTool = z.enum(agentTools);
export type AgentTool = z.infer<typeof AgentTool>;

export const Input = z
  .strictObject({
    type: z
      .enum(['string', 'integer', 'number', 'boolean', 'list'])
      .meta({ description: 'What the input holds; a `list` holds texts' }),
    description: z.string().max(1000).optional().meta({ description: 'What to give, for whoever starts a run' }),
    default: z
      .union([z.string(), z.number(), z.boolean(), z.array(z.string())])
      .optional()
      .meta({ description: 'Its value where none is given' }),
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
  .regex(/^[1-9][0-9]{0,5}(Mi|Gi)$/, { error: 'a size is a whole number and Mi or Gi, such as 512Mi' });

const SandboxSection = z.strictObject({
  image: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .meta({ description: 'A container image; the local provider uses the machine itself' }),
  setup: z
    .array(Command)
    .max(32)
    .optional()
    .meta({ description: 'Commands that prepare a checkout, such as installing dependencies' }),
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
        .meta({ description: 'How many processes and threads may live at once' }),
    })
    .optional()
    .meta({ description: 'What the commands of a run may use' }),
  egress: z
    .array(
      z.string().regex(/^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, {
        error: 'a preset (pypi, npm, crates, go) or a host name, such as api.example.com or *.example.com',
      }),
    )
    .max(64)
    .optional()
    .meta({ description: 'Hosts that commands may reach; everything else is refused' }),
  env: z
    .record(EnvironmentName, z.string().max(8192))
    .optional()
    .meta({ description: 'Environment of every command; never secrets' }),
});

export const BudgetSection = z.strictObject({
  usd: z.number().positive().max(10_000).optional().meta({ description: 'US dollars that models may cost' }),
  tokens: z.number().int().positive().max(1_000_000_000).optional().meta({ description: 'Tokens to and from models' }),
  turns: z.number().int().positive().max(10_000).optional().meta({ description: 'Questions to models' }),
  time: Duration.optional().meta({ description: 'How long the run may take, waiting for CI and people left out' }),
});
export type BudgetSection = z.infer<typeof BudgetSection>;

/** Keys that a step of any kind may have. */
const common = {
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

export const RunStep = z.strictObject({
  ...common,
  run: Command.meta({
    description:
      'A command whose output other steps can read: a shell script without `${{ }}`, or the list of words of one program',
  }),
  parse: z.enum(['json', 'lines']).optional().meta({ description: 'Standard output as a value: `steps.ID.value`' }),
});

export const CheckStep = z.strictObject({
  ...common,
  check: Commands.meta({ description: 'Commands that decide by their exit code' }),
  gate: z.enum(['required', 'baseline']).optional().meta({
    description: '`baseline` only records what fails before the change; `required` (the default) stops the run',
  }),
});

/** A glob that no matcher needs more than a moment for, whatever the path. */
const Glob = z
  .string()
  .min(1)
  .max(512)
  .refine(
    (glob) => {
      const parts = glob.split('/');
      const isPlain = parts.every(
        (part) => part === '**' || /^[^*\\(){}[\]!+@|]*(\*[^*\\(){}[\]!+@|]+)?(\*[^*\\(){}[\]!+@|]*)?$/.test(part),
      );
      return isPlain && !glob.startsWith('/') && parts.filter((part) => part === '**').length <= 3;
    },
    {
      error:
        'a glob is a relative path with `*` and `?` in it, at most two single `*` in a part, and at most three parts that are `**`',
    },
  );

const ModelName = z.string().max(200).optional().meta({ description: 'The model; the configured one where missing' });
const SystemPrompt = Template.optional().meta({
  description: 'Instructions that stand before the conversation, in place of the usual ones',
});

export const AgentStep = z.strictObject({
  ...common,
  agent: z
    .strictObject({
      task: Template.meta({ description: 'What the model is to do' }),
      tools: z
        .array(AgentTool)
        .min(1)
        .optional()
        .meta({ description: 'What the model may use; all of them where missing' }),
      'allow-paths': z
        .array(Glob)
        .max(64)
        .optional()
        .meta({ description: 'Globs that the step may change; all by default' }),
      turns: z
        .number()
        .int()
        .min(1)
        .max(1000)
        .optional()
        .meta({ description: 'Questions to the model, over all attempts' }),
      model: ModelName,
      system: SystemPrompt,
    })
    .meta({ description: 'A model with tools, inside the bounds of this step' }),
  verify: Commands.optional().meta({
    description: 'Commands that decide; what fails goes back to the same conversation',
  }),
  attempts: z
    .number()
    .int()
    .min(1)
    .max(10)
    .optional()
    .meta({ description: 'How often `verify` may be tried before the step fails' }),
});

export const PromptStep = z.strictObject({
  ...common,
  prompt: z
    .strictObject({
      text: Template.meta({ description: 'The question' }),
      answer: JsonSchema.meta({ description: 'The JSON Schema that the answer is held to' }),
      model: ModelName,
      system: SystemPrompt,
    })
    .meta({ description: 'One question to a model, without tools' }),
});

export const EditStep = z.strictObject({
  ...common,
  edit: z
    .strictObject({
      path: Template.meta({ description: 'The file, relative to the repository' }),
      old: Template.meta({ description: 'The text that is there' }),
      new: Template.meta({ description: 'The text in its place' }),
      line: TemplateOrNumber.optional().meta({ description: 'The line (from 1) on which `old` starts' }),
      all: z
        .boolean()
        .optional()
        .meta({ description: 'Replace every occurrence; otherwise there must be exactly one' }),
    })
    .meta({ description: 'An exact replacement, made by code and refused where it does not match' }),
});

export const ChangeStep = z.strictObject({
  ...common,
  change: z
    .strictObject({
      title: Template.meta({ description: 'Its title' }),
      body: Template.optional().meta({ description: 'Its description; the evidence where missing' }),
      branch: Template.optional().meta({
        description: 'Its branch; made from the names of the blueprint and the run where missing',
      }),
      draft: z.boolean().optional().meta({ description: 'Open it as a draft' }),
      labels: z.array(z.string().max(100)).max(20).optional().meta({ description: 'Labels on the change' }),
      gate: z.enum(['clean', 'spared']).optional().meta({
        description:
          '`clean` (the default) decides the checks once more in a clean checkout; `spared` does not, and the evidence says so',
      }),
    })
    .meta({ description: 'A pull or merge request with what the run changed' }),
});

export const CiStep = z.strictObject({
  ...common,
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

export const ApproveStep = z.strictObject({
  ...common,
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
      rounds: z.number().int().min(1).max(10).optional().meta({ description: 'How often it may be sent back' }),
    })
    .meta({ description: 'A person decides' }),
});

export const EndStep = z.strictObject({
  ...common,
  end: z
    .strictObject({
      outcome: z
        .enum(['succeeded', 'nothing-to-do', 'needs-human', 'failed'])
        .meta({ description: 'How the run ends' }),
      reason: Template.meta({ description: 'Why, for whoever looks at the run' }),
    })
    .meta({ description: 'Ends the run' }),
});

const CommonKeys = z.strictObject(common);

/** Written out, because an `each` step holds steps. */
export interface EachStep extends z.infer<typeof CommonKeys> {
  each: string;
  as: string;
  'at-once'?: number | undefined;
  tolerate?: number | undefined;
  do: Step[];
}

export const EachStep = z.strictObject({
  ...common,
  each: Template.meta({
    description: 'A list, as in `${{ steps.places.value }}`: `do` runs once for each of its items',
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
  get do(): z.ZodArray<z.ZodType<Step>> {
    return z.array(Step).min(1).max(32).meta({ description: 'The steps for one item' });
  },
});

export type RunStep = z.infer<typeof RunStep>;
export type CheckStep = z.infer<typeof CheckStep>;
export type AgentStep = z.infer<typeof AgentStep>;
export type PromptStep = z.infer<typeof PromptStep>;
export type EditStep = z.infer<typeof EditStep>;
export type ChangeStep = z.infer<typeof ChangeStep>;
export type CiStep = z.infer<typeof CiStep>;
export type ApproveStep = z.infer<typeof ApproveStep>;
export type EndStep = z.infer<typeof EndStep>;
export type Step =
  RunStep | CheckStep | AgentStep | PromptStep | EditStep | ChangeStep | CiStep | ApproveStep | EndStep | EachStep;

export const stepSchemas = {
  run: RunStep,
  check: CheckStep,
  agent: AgentStep,
  prompt: PromptStep,
  edit: EditStep,
  each: EachStep,
  change: ChangeStep,
  ci: CiStep,
  approve: ApproveStep,
  end: EndStep,
} as const;
export type StepKind = keyof typeof stepSchemas;
export const stepKinds = [
  'run',
  'check',
  'agent',
  'prompt',
  'edit',
  'each',
  'change',
  'ci',
  'approve',
  'end',
] as const satisfies StepKind[];

export const Step: z.ZodType<Step> = z
  .lazy(() =>
    z.union([RunStep, CheckStep, AgentStep, PromptStep, EditStep, EachStep, ChangeStep, CiStep, ApproveStep, EndStep]),
  )
  .meta({ id: 'Step', description: `A step has exactly one action key: ${stepKinds.join(', ')}` });

export const Blueprint = z.strictObject({
  blueprint: z.literal('v1').meta({ description: 'The version of the language' }),
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, { error: 'a name is small letters, digits and -' })
    .meta({ description: 'The name of the blueprint; part of branches and of the ids of runs' }),
  title: z.string().min(1).max(200).optional().meta({ description: 'What it changes, in a few words' }),
  description: z.string().max(4000).optional().meta({ description: 'What it changes, and when to use it' }),
  inputs: z.record(Identifier, Input).optional().meta({ description: 'What is given at the start of a run, by name' }),
  sandbox: SandboxSection.optional().meta({ description: 'Where the commands of a run execute' }),
  budget: BudgetSection.optional().meta({ description: 'What a run may spend; checked before the next spend' }),
  steps: z.array(Step).min(1).max(200).meta({ description: 'What the run does, in order' }),
});
export type Blueprint = z.infer<typeof Blueprint>;

/** The kind of a step: its one action key. */
export function stepKind(step: Step): StepKind {
  const kind = stepKinds.find((key) => Object.hasOwn(step, key));
  if (!kind) throw new TypeError('a step without an action key');
  return kind;
}
