import { z } from 'zod';
import { isBranchName } from '../../base/branch-name.ts';
import { Glob, Template, templateOf, TemplateWithText } from '../values.ts';
import { commonKeys, type Kind, outcome, templates } from './kind.ts';

/** Refusals of a change that a blueprint can lift. */
export const AllowedRefusal = z.enum(['mode-change', 'unportable-name']);

const ChangeStep = z.strictObject({
  ...commonKeys,
  change: z
    .strictObject({
      title: TemplateWithText.meta({ description: 'Its title' }),
      body: Template.optional().meta({ description: 'Its description; by default, the evidence' }),
      branch: templateOf(isBranchName, 'git refuses this as the name of a branch').optional().meta({
        description: 'Its branch; by default, made from the names of the blueprint and the run',
      }),
      draft: z.boolean().optional().meta({ description: 'Open it as a draft' }),
      labels: z.array(z.string().min(1).max(100)).max(20).optional().meta({ description: 'Labels on the change' }),
      only: z.array(Glob).min(1).max(64).optional().meta({
        description:
          'Globs of the files that the change may touch, decided on the commit that is pushed; by default, all files',
      }),
      include: z.array(Glob).min(1).max(64).optional().meta({
        description:
          'Globs of new files that the change has although .gitignore names them, or although `setup`, a `check` or `verify` made them',
      }),
      allow: z.array(AllowedRefusal).min(1).optional().meta({
        description:
          'What is not refused: `mode-change` (a file becomes executable), `unportable-name` (a new name that Windows or a file system without upper and lower case can’t hold)',
      }),
      gate: z.enum(['clean', 'spared']).optional().meta({
        description:
          '`clean` (the default): the checks run again in a clean checkout. `spared`: they do not, and the evidence says so',
      }),
    })
    .meta({ description: 'A pull or merge request with what the run changed' }),
});
export type ChangeStep = z.infer<typeof ChangeStep>;

export const changeKind: Kind<ChangeStep> = {
  schema: ChangeStep,
  outputs: {
    outcome,
    number: { type: 'int', description: 'The number of the change on its forge' },
    url: { type: 'string', description: 'The address of its page' },
    branch: { type: 'string', description: 'Its branch' },
    commit: { type: 'string', description: 'Its commit' },
  },
  evaluated: [
    ...templates('change', 'title', 'branch'),
    { key: 'change', inner: 'body', is: 'template', reads: 'evidence' },
  ],
  withoutEffect: ['env', 'timeout', 'retry'],
  once: true,
  unchecked: {
    unless: 'earlier',
    code: 'change-unchecked',
    message: 'no check decides on this change, so it will be a draft that says `unchecked` first',
    hint: 'put a `check` before it, or `verify` in the agent step',
  },
  check({ step, path }, report) {
    if (step?.['on-failure'] !== 'continue') return;
    report.add(
      [...path, 'on-failure'],
      'continue-after-side-effect',
      'a run must not go on if it is unclear whether the change was opened',
    );
  },
};
