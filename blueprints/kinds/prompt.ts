import { z } from 'zod';
import { isJsonMap, type Json } from '../../base/json.ts';
import type { KeyPath } from '../issues.ts';
import type { Report } from '../report.ts';
import { ModelName, SystemPrompt, Template } from '../values.ts';
import { commonKeys, type Kind, outcome, templates } from './kind.ts';

/** The shape of an answer as a JSON Schema. It is given to the model's server, and the answer is checked against it. */
const JsonSchema = z.record(z.string(), z.json()).meta({ description: 'A JSON Schema' });
export type JsonSchema = z.infer<typeof JsonSchema>;

const PromptStep = z.strictObject({
  ...commonKeys,
  prompt: z
    .strictObject({
      text: Template.meta({ description: 'The question' }),
      answer: JsonSchema.meta({ description: 'The JSON Schema that the answer is held to' }),
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
    value: { type: 'dyn', description: 'The answer, as its JSON Schema says' },
  },
  evaluated: templates('prompt', 'text', 'system'),
  withoutEffect: ['env'],
  check({ step, path }, report) {
    if (step) checkAnswer(step.prompt.answer, [...path, 'prompt', 'answer'], report);
  },
  membersOf({ prompt }, output) {
    const { properties } = prompt.answer;
    return output === 'value' && isJsonMap(properties)
      ? { of: 'the answer', names: Object.keys(properties) }
      : undefined;
  },
};

/**
 * Refuses JSON Schema keywords that would run an author's regular expression in the worker, or fetch another schema.
 */
function checkAnswer(schema: Json, path: KeyPath, report: Report): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, inner] of Object.entries(schema)) {
    const here = [...path, Array.isArray(schema) ? Number(key) : key];
    const isKeyword = path.at(-1) !== 'properties';
    if (isKeyword && ['pattern', 'patternProperties', '$ref', '$dynamicRef'].includes(key)) {
      report.addKey(
        here,
        'answer-keyword',
        `\`${key}\` is not part of an answer's schema here`,
        key === 'pattern' ? 'use `enum`, or check the answer in a `run` step' : undefined,
      );
    } else checkAnswer(inner, here, report);
  }
}
