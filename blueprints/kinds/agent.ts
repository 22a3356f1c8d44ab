import { z } from 'zod';
import { Commands, Glob, ModelName, SystemPrompt, TemplateWithText } from '../values.ts';
import { commonKeys, type Kind, outcome, templates } from './kind.ts';

export const agentTools = ['read', 'edit', 'write', 'search', 'shell'] as const;
const AgentTool = z.enum(agentTools);
export type AgentTool = z.infer<typeof AgentTool>;

const AgentStep = z.strictObject({
  ...commonKeys,
  agent: z
    .strictObject({
      task: TemplateWithText.meta({ description: 'What the model should do' }),
      tools: z
        .array(AgentTool)
        .min(1)
        .optional()
        .meta({ description: 'What the model may use; by default, all of them' }),
      'allow-paths': z.array(Glob).max(64).optional().meta({
        description:
          'Globs of the files that the step may change, as git and minimatch read them: `src/*` is one level, `src/**` all, `src` a file or a whole folder; by default, all files',
      }),
      turns: z
        .number()
        .int()
        .min(1)
        .max(1000)
        .optional()
        .meta({ description: 'How often the model may be asked, over all attempts' }),
      model: ModelName,
      system: SystemPrompt,
    })
    .meta({ description: 'A model with tools, within the limits of this step' }),
  verify: Commands.optional().meta({
    description: 'Commands that decide whether the work is done; the model sees what failed, in the same conversation',
  }),
  counts: z.array(Glob).min(1).max(16).optional().meta({
    description: 'Globs of the reports that the test runners of `verify` write: JUnit XML, TAP or `go test -json`',
  }),
  attempts: z
    .number()
    .int()
    .min(1)
    .max(10)
    .optional()
    .meta({ description: 'How many attempts the model has before the step fails' }),
});
export type AgentStep = z.infer<typeof AgentStep>;

export const agentKind: Kind<AgentStep> = {
  schema: AgentStep,
  outputs: {
    outcome,
    summary: { type: 'string', description: 'What the model says it did' },
    turns: { type: 'int', description: 'How often the model was asked' },
    attempts: { type: 'int', description: 'How many attempts the model needed' },
    inputTokens: { type: 'int', description: 'Tokens that went to the model' },
    outputTokens: { type: 'int', description: 'Tokens that came from the model' },
    costUsd: { type: 'double', description: 'What they cost, in US dollars' },
  },
  evaluated: [...templates('agent', 'task', 'system'), { key: 'verify', is: 'commands' }],
  withoutEffect: ['retry'],
  asksModel: true,
  decides: ({ verify }) => verify !== undefined,
  unchecked: {
    unless: 'later',
    code: 'agent-unchecked',
    message: 'no check decides on what this agent does: the model alone says that it is done',
    hint: 'add `verify`, or a `check` after it',
  },
  check({ step, path }, report) {
    if (!step || step.verify !== undefined) return;
    if (step.counts !== undefined)
      report.addKey([...path, 'counts'], 'key-without-effect', '`counts` needs `verify`: nothing else writes reports');
    if (step.attempts === undefined) return;
    report.addKey(
      [...path, 'attempts'],
      'attempts-without-verify',
      '`attempts` needs `verify`: nothing else can tell that an attempt failed',
    );
  },
};
