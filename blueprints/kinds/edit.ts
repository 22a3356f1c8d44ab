import { z } from 'zod';
import { hasTemplate } from '../template.ts';
import { Template, templateOf } from '../values.ts';
import { commonKeys, type Kind, outcome, templates } from './kind.ts';

const path = templateOf(
  (text) => text !== '' && !text.startsWith('/') && !text.endsWith('/') && !text.split('/').includes('..'),
  'must be the path of a file inside the repository',
);
const lineRule = 'must be a whole number from 1';
const line = z.union([templateOf((text) => /^[1-9][0-9]{0,14}$/.test(text), lineRule), z.number().int().min(1)]);

const EditStep = z.strictObject({
  ...commonKeys,
  edit: z
    .strictObject({
      path: path.meta({ description: 'The file, relative to the repository' }),
      old: templateOf((text) => text !== '', 'must not be empty').meta({ description: 'The text that is there' }),
      new: Template.meta({ description: 'The text to put in its place' }),
      line: line.optional().meta({ description: 'The line (from 1) on which `old` starts' }),
      all: z
        .boolean()
        .optional()
        .meta({ description: 'Replace every occurrence; without it, there must be exactly one' }),
    })
    .meta({
      description:
        'An exact replacement, made by code; it is refused if the text is not there. The file keeps its line ends and its byte order mark',
    }),
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
  check({ step, path: at }, report) {
    const { old, new: replacement } = step?.edit ?? {};
    if (old === undefined || old !== replacement || hasTemplate(old)) return;
    report.add([...at, 'edit', 'new'], 'wrong-value', '`old` and `new` are the same, so this edit changes nothing');
  },
};
