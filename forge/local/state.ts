/** What the local forge keeps and where: for each `owner/name`, a bare repository and a folder of records. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ProcessIdentity } from '../../base/process-identity.ts';
import { RepositoryName } from '../contract.ts';
import { ForgeFailure } from '../errors.ts';
import { createRecord } from './record.ts';

/** A repository's own check command, which its CI runs. */
export const RepositoryCheck = z.strictObject({
  name: z.string().default('check'),
  command: z.array(z.string()).min(1),
  /** Commands that prepare a checkout for the check. */
  setup: z.array(z.array(z.string()).min(1)).default([]),
});
export type RepositoryCheck = z.infer<typeof RepositoryCheck>;

const RepositoryRecord = z.strictObject({
  /** The path that it was imported from last. */
  source: z.string(),
  defaultBranch: z.string(),
  archived: z.boolean(),
  check: RepositoryCheck.optional(),
  /** Every change ever, in the order of their numbers, which start at 1. */
  changes: z.array(z.strictObject({ branch: z.string(), marker: z.string() })),
});

export const Remark = z.strictObject({
  by: z.string(),
  at: z.string(),
  body: z.string(),
  marker: z.string().optional(),
});
export type Remark = z.infer<typeof Remark>;

export const Approval = z.strictObject({ by: z.string(), at: z.string(), commit: z.string() });
export type Approval = z.infer<typeof Approval>;

export const ChangeRecord = z.strictObject({
  number: z.number().int().positive(),
  author: z.string(),
  state: z.enum(['open', 'merged', 'closed']),
  draft: z.boolean(),
  title: z.string(),
  body: z.string(),
  branch: z.string(),
  base: z.string(),
  labels: z.array(z.string()),
  comments: z.array(Remark),
  approvals: z.array(Approval),
  /** Set once the change is closed or merged: its head, the base's head before a merge, and by whom and why. */
  ended: z.strictObject({ head: z.string(), base: z.string(), by: z.string(), reason: z.string() }).optional(),
});
export type ChangeRecord = z.infer<typeof ChangeRecord>;

export const CheckRecord = z.strictObject({
  name: z.string(),
  state: z.enum(['queued', 'running', 'passed', 'failed', 'errored']),
  claim: ProcessIdentity.extend({ id: z.string(), expiresAt: z.string() }).optional(),
  logExcerpt: z.string().optional(),
});
export type CheckRecord = z.infer<typeof CheckRecord>;

export type LocalState = ReturnType<typeof createState>;

export function createState(rootDir: string) {
  const folderOf = (name: string) => join(rootDir, 'state', checkedName(name));
  return {
    folder: folderOf,
    /** A new place for what is being removed. */
    asidePath: () => join(rootDir, 'removed', randomUUID()),
    gitDir: (name: string) => join(rootDir, 'repositories', `${checkedName(name)}.git`),
    repository: (name: string) => createRecord(join(folderOf(name), 'repository'), RepositoryRecord),
    change: (name: string, number: number) =>
      createRecord(join(folderOf(name), 'changes', String(number)), ChangeRecord),
    check: (name: string, commit: string) => createRecord(join(folderOf(name), 'checks', commit), CheckRecord),
    pagePath: (name: string, number: number) => join(folderOf(name), 'changes', `${number}.md`),

    async getRepository(name: string) {
      const found = RepositoryName.safeParse(name).success
        ? await createRecord(join(folderOf(name), 'repository'), RepositoryRecord).find()
        : undefined;
      if (!found)
        throw new ForgeFailure('forge-not-found', `The local forge has no repository ${JSON.stringify(name)}.`);
      return found;
    },

    async getChange(name: string, number: number): Promise<ChangeRecord> {
      const found = await createRecord(join(folderOf(name), 'changes', String(number)), ChangeRecord).find();
      if (!found) throw new ForgeFailure('forge-not-found', `${name} has no change ${number}.`);
      return found;
    },

    async listRepositories(): Promise<string[]> {
      const root = join(rootDir, 'state');
      await mkdir(root, { recursive: true });
      const names: string[] = [];
      for (const owner of await readdir(root))
        for (const name of await readdir(join(root, owner)))
          if (await this.repository(`${owner}/${name}`).find()) names.push(`${owner}/${name}`);
      return names.toSorted();
    },
  };
}

/** Checks a name. It becomes a path here, so `.` and `..` are refused. */
function checkedName(name: string): string {
  if (!RepositoryName.safeParse(name).success || name.split('/').some((part) => /^\.+$/.test(part))) {
    throw new ForgeFailure('forge-not-found', `${JSON.stringify(name)} is not a repository's name.`);
  }
  return name;
}
