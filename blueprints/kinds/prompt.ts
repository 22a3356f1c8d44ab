import { z } from 'zod';
import { answerDoubles, answerMembers } from '../answer-shape.ts';
import { ModelName, SystemPrompt, TemplateWithText } from '../values.ts';
import { commonKeys, type Kind, outcome, templates } from './kind.ts';

/** The shape of an answer as a JSON Schema. It is given to the model's server, and the answer is checked against it. */
const JsonSchema = z.record(z.string(), z.json()).meta({ description: 'A JSON Schema' });
export type JsonSchema = z.infer<typeof JsonSchema>;

const PromptStep = z.strictObject({
  ...commonKeys,
  prompt: z
    .strictObject({
      text: TemplateWithText.meta({ description: 'The question' }),
      answer: JsonSchema.meta({
        description:
          'The JSON Schema (2020-12, or draft-07 if `$schema` says so) that the answer must match, without patterns and references',
      }),
      model: ModelName,
      system: SystemPrompt,
    })
    .meta({ description: 'One question to a model, without tools' }),
});
export type PromptStep = z.infer<typeof PromptStep>;

export const promptKind: Kind<PromptStep> = {
  schema: PromptStep,
  outputs: {
    outcome,
    value: { type: 'dyn', description: 'The answer, as its JSON Schema describes it' },
  },
  evaluated: templates('prompt', 'text', 'system'),
  withoutEffect: ['env'],
  asksModel: true,
  answerOf: ({ prompt }) => ({ path: ['prompt', 'answer'], schema: prompt.answer }),
  membersOf({ prompt }, output) {
    const names = output === 'value' ? answerMembers(prompt.answer) : undefined;
    return names && { of: 'the answer', names };
  },
  doublesOf: ({ prompt }, output) => (output === 'value' ? answerDoubles(prompt.answer) : undefined),
};
