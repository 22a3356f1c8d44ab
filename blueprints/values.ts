/** Types of values that more than one key of a blueprint can hold. */
import { z } from 'zod';
import { parseGlob } from './globs.ts';
import { hasTemplate } from './template.ts';

/** A name that CEL can read after a dot: `steps.survey`. */
export const Identifier = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, {
  error: 'a name begins with a small letter and has only small letters, digits and _',
});

/** A CEL expression without braces, as in `if:`. */
export const Expression = z.string().min(1).max(4096).meta({ description: 'A CEL expression, without `${{ }}`' });

/** Text in which `${{ }}` is evaluated. */
export const Template = z.string().max(65_536).meta({ description: 'Text in which `${{ expression }}` is evaluated' });

/** A template. If it holds no expression, it is what the step will use, so it is checked before the run. */
export function templateOf(isAllowed: (text: string) => boolean, rule: string): typeof Template {
  return Template.refine((text) => hasTemplate(text) || isAllowed(text), { error: rule });
}

/** A template whose text must not be blank. */
export const TemplateWithText = templateOf((text) => text.trim() !== '', 'must not be empty');

export const TemplateOrNumber = z.union([Template, z.number().int()]);

/** The words of one program. */
const Words = z
  .array(Template)
  .min(1)
  .max(256)
  .refine(([program]) => program !== '', { error: 'the first word names the program, so it must not be empty' });

/** A command: a string is a shell script (no `${{ }}` in it), a list is the words of one program, without a shell. */
export const Command = z.union([z.string().min(1).max(16_384), Words]).meta({
  description: 'A shell script without `${{ }}`, or the list of words of one program (each may contain `${{ }}`)',
});
export type Command = z.infer<typeof Command>;

export const Commands = z.array(Command).min(1).max(32);

/** The name of an environment variable. */
export const EnvironmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: 'the name of a variable has letters, digits and _, and does not begin with a digit',
});

/** A glob of paths in the repository. */
export const Glob = z.string().superRefine((glob, context) => {
  const parsed = parseGlob(glob);
  if ('problem' in parsed) context.addIssue({ code: 'custom', message: `this glob ${parsed.problem}` });
});

export const ModelName = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .meta({ description: 'The model; by default, the configured one' });

export const SystemPrompt = Template.optional().meta({
  description: 'Instructions at the beginning of the conversation, instead of the usual ones',
});
