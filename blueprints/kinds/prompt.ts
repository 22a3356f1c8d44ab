import { z } from 'zod';
import { isJsonMap, type Json } from '../../base/json.ts';
import { answerDoubles, answerMembers } from '../answer-shape.ts';
import type { KeyPath } from '../issues.ts';
import type { Report } from '../report.ts';
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
      answer: JsonSchema.meta({ description: 'The JSON Schema that the answer must match' }),
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
  check({ step, path }, report) {
    if (step) checkAnswer(step.prompt.answer, [...path, 'prompt', 'answer'], report);
  },
  membersOf({ prompt }, output) {
    const names = output === 'value' ? answerMembers(prompt.answer) : undefined;
    return names && { of: 'the answer', names };
  },
  doublesOf: ({ prompt }, output) => (output === 'value' ? answerDoubles(prompt.answer) : undefined),
};

/** Keywords of JSON Schema that run a pattern of the author's, or fetch a schema from elsewhere, in the worker. */
const refused = ['pattern', 'patternProperties', '$ref', '$dynamicRef'];
/** Keywords that hold schemas by names, which may be any words; and those that hold values, which are no schemas. */
const namedSchemas = ['properties', '$defs', 'definitions', 'dependentSchemas'];
const values = ['const', 'enum', 'default', 'examples', 'required'];

/** What can't be held is found before the model is paid. */
function checkAnswer(schema: JsonSchema, path: KeyPath, report: Report): void {
  const before = report.issues.length;
  checkKeywords(schema, path, report);
  if (report.issues.length > before) return;
  try {
    z.fromJSONSchema(schema);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    report.add(path, 'answer-keyword', `answers can't be checked with this schema: ${why}`);
  }
}

function checkKeywords(schema: Json, path: KeyPath, report: Report): void {
  if (Array.isArray(schema))
    for (const [index, inner] of schema.entries()) checkKeywords(inner, [...path, index], report);
  if (!isJsonMap(schema)) return;
  for (const [key, inner] of Object.entries(schema)) {
    const here = [...path, key];
    if (refused.includes(key)) {
      const hint = key === 'pattern' ? 'use `enum`, or check the answer in a `run` step' : undefined;
      report.addKey(here, 'answer-keyword', `\`${key}\` can't be used in the schema of an answer`, hint);
    } else if (namedSchemas.includes(key) && isJsonMap(inner)) {
      for (const [name, named] of Object.entries(inner)) checkKeywords(named, [...here, name], report);
    } else if (!values.includes(key)) checkKeywords(inner, here, report);
  }
}
