/** A sandbox's folder on the worker's machine: made whole under another name and renamed, so that it is there or not. */
import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { BlueprintFile } from '../../blueprints/folder.ts';
import type { SandboxSpec } from '../contract.ts';
import { hasCode, isMissing } from './host-files.ts';
import { writeLease } from './lease.ts';
import { systemCallFilter } from './system-calls.ts';

/** `sandbox.json`: what every process of this machine knows of the sandbox. */
export const SandboxRecord = z.strictObject({
  incarnation: z.uuid(),
  createdAt: z.iso.datetime(),
  /** What was asked for, without its lease, which is a file of its own. */
  spec: z.object({
    id: z.string().min(1),
    owner: z.string().optional(),
    image: z.string().optional(),
    resources: z.strictObject({
      cpu: z.number().positive(),
      memoryBytes: z.number().int().positive(),
      diskBytes: z.number().int().positive(),
      processes: z.number().int().positive(),
    }),
    egress: z.array(z.string()),
    env: z.record(z.string(), z.string()),
  }),
});
export type SandboxRecord = z.infer<typeof SandboxRecord>;

/** Names of the user and the machine inside; nothing of the machine's own. */
const etcFiles = {
  passwd:
    'root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nagent:x:1000:1000:agent:/home/agent:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  group: 'root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'resolv.conf': '',
};
export const etcNames = Object.keys(etcFiles);

/** The file of the system calls that are refused. */
export const filterName = 'system-calls.bpf';

/** Before a folder is a sandbox, and when it is one no more. */
export const freshPrefix = '.new-';
export const gonePrefix = '.gone-';

/** A name of its own under which a folder stands aside. */
export const asideName = (prefix: string, folder: string): string => `${prefix}${basename(folder)}-${randomUUID()}`;

/** The folder that stands aside under this name; undefined: none does. */
export function findOriginal(rootDir: string, name: string): string | undefined {
  const prefix = [freshPrefix, gonePrefix].find((each) => name.startsWith(each));
  return prefix && join(rootDir, name.slice(prefix.length, -'-'.length - randomUUID().length));
}

/** The folder of a sandbox: readable, and distinct for distinct ids. */
export function sandboxFolder(rootDir: string, id: string): string {
  const readable = id.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 40);
  return join(rootDir, `${readable}-${createHash('sha256').update(id).digest('hex').slice(0, 12)}`);
}

/** Makes the sandbox's folder, or finds it as another made it. Repeatable, also at the same time. */
export async function ensureFolder(rootDir: string, spec: SandboxSpec): Promise<SandboxRecord> {
  const folder = sandboxFolder(rootDir, spec.id);
  const found = await findRecord(folder);
  if (found) return found;
  const { blueprint = [], ...kept } = spec;
  const record = SandboxRecord.parse({ incarnation: randomUUID(), createdAt: new Date().toISOString(), spec: kept });
  await mkdir(rootDir, { recursive: true, mode: 0o700 });
  const fresh = join(rootDir, asideName(freshPrefix, folder));
  try {
    for (const part of ['', 'workspace', 'home', 'commands', 'egress', 'etc'])
      await mkdir(join(fresh, part), { mode: 0o700 });
    for (const [name, text] of Object.entries(etcFiles)) await writeFile(join(fresh, 'etc', name), text);
    await writeFile(join(fresh, filterName), systemCallFilter());
    await layBlueprint(join(fresh, 'blueprint'), blueprint);
    await writeFile(join(fresh, 'sandbox.json'), JSON.stringify(record, null, 2));
    await writeLease(fresh, spec.leaseMs);
    await rename(fresh, folder);
    await removeFresh(rootDir, folder);
    return record;
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (hasCode(error, 'EEXIST', 'ENOTEMPTY')) return await ensureFolder(rootDir, spec);
    // Whoever made it meanwhile has taken ours away; so has whoever destroyed it.
    const made = isMissing(error) ? await findRecord(folder) : undefined;
    if (!made) throw error;
    return made;
  }
}

/** bubblewrap mounts the folder for reading only. Where nothing isolates, the modes keep programs from writing by accident. */
async function layBlueprint(folder: string, files: readonly BlueprintFile[]): Promise<void> {
  await mkdir(folder);
  for (const { path, executable, base64 } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.from(base64, 'base64'), { flag: 'wx' });
    // Not by the writing, whose mode the umask would narrow.
    await chmod(file, executable ? 0o555 : 0o444);
  }
}

/** Removes what was begun for a sandbox and never became it: its maker was killed, or comes too late. Repeatable. */
export async function removeFresh(rootDir: string, folder: string): Promise<void> {
  for (const name of await listNames(rootDir)) {
    if (name.startsWith(freshPrefix) && findOriginal(rootDir, name) === folder)
      await rm(join(rootDir, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns undefined where there is no such sandbox. */
export async function findRecord(folder: string): Promise<SandboxRecord | undefined> {
  try {
    return SandboxRecord.parse(JSON.parse(await readFile(join(folder, 'sandbox.json'), 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The records of all the sandboxes under a root; one that vanishes meanwhile is left out. */
export async function listRecords(rootDir: string): Promise<SandboxRecord[]> {
  const names = await listNames(rootDir);
  const records = await Promise.all(
    names.filter((name) => !name.startsWith('.')).map(async (name) => await findRecord(join(rootDir, name))),
  );
  return records.filter((record) => record !== undefined);
}

/** What stands under a root, where there is one. */
export async function listNames(rootDir: string): Promise<string[]> {
  return await readdir(rootDir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}
