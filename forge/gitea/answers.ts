/** Gitea's answers, as far as they are used here. */
import { z } from 'zod';

export const RepositoryAnswer = z.object({
  full_name: z.string(),
  default_branch: z.string(),
  archived: z.boolean(),
  empty: z.boolean(),
});

/** A branch of the repository or of a fork; `repo_id` tells which. */
const Side = z.object({ ref: z.string(), sha: z.string(), repo_id: z.number() });

export const LabelAnswer = z.object({ id: z.number(), name: z.string() });

export const PullAnswer = z.object({
  number: z.number().int().positive(),
  html_url: z.string(),
  title: z.string(),
  body: z.string(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  draft: z.boolean().default(false),
  head: Side,
  base: Side,
  labels: z
    .array(LabelAnswer)
    .nullish()
    .transform((labels) => labels ?? []),
});
export type PullAnswer = z.infer<typeof PullAnswer>;

export const CommentAnswer = z.object({
  id: z.number(),
  body: z.string(),
  user: z.object({ id: z.number() }).nullish(),
});

export const UserAnswer = z.object({ id: z.number() });

export const StatusAnswer = z.object({
  id: z.number(),
  context: z.string(),
  status: z.enum(['pending', 'success', 'error', 'failure', 'warning', 'skipped']),
  description: z.string(),
  target_url: z.string(),
});

export const BranchAnswer = z.object({
  enable_status_check: z.boolean(),
  status_check_contexts: z
    .array(z.string())
    .nullish()
    .transform((contexts) => contexts ?? []),
});
