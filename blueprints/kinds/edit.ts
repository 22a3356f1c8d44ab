import { z } from 'zod';
import { Template, TemplateOrNumber } from '../values.ts';
import { commonKeys, type Kind, outcome, templates } from './kind.ts';

const EditStep = z.strictObject({
  ...commonKeys,
  edit: z
    .strictObject({
      path: Template.meta({ description: 'The file, relative to the repository' }),
      old: Template.meta({ description: 'The text that is there' }),
      new: Template.meta({ description: 'The text to put in its place' }),
      line: TemplateOrNumber.optional().meta({ description: 'The line (from 1) on which `old` starts' }),
      all: z
        .boolean()
        .optional()
        .meta({ description: 'Replace every occurrence; without it, there must be exactly one' }),
    })
    .meta({ description: 'An exact replacement, made by code; it is refused if the text is not there' }),
});
export type EditStep = z.infer<typeof EditStep>;

export const editKind: Kind<EditStep> = {
  schema: EditStep,
  outputs: {
    outcome,
    path: { type: 'string', description: 'The file' },
    replacements: { type: 'int', description: 'How many places were replaced' },
  },
  evaluated: templates('edit', 'path', 'old', 'new', 'line'),
  withoutEffect: ['env'],
};
