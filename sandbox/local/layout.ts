/**
 * A sandbox's folder on the worker's machine. It is made completely under another name and then renamed, so it exists
 * as a whole or not at all.
 */
import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { BlueprintFile } from '../../blueprints/folder.ts';
import type { SandboxSpec } from '../contract.ts';
import { hasCode, isMissing } from './host-files.ts';
import { writeLease } from './lease.ts';
import { systemCallFilter } from './system-calls.ts';

/** `sandbox.json`: what every process of this machine knows about the sandbox. */
export const SandboxRecord = z.strictObject({
  incarnation: z.uuid(),
  createdAt: z.iso.datetime(),
  /** The specification without the lease, which has its own file. */
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

/** Names of the user and the machine inside the sandbox. Nothing is the machine's own. */
const etcFiles = {
  passwd:
    'root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nagent:x:1000:1000:agent:/home/agent:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  group: 'root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'resolv.conf': '',
};
export const etcNames = Object.keys(etcFiles);

/** The file with the filter of system calls. */
export const filterName = 'system-calls.bpf';

/** Prefixes for a folder that isn't a sandbox yet, and for one that no longer is. */
export const freshPrefix = '.new-';
export const gonePrefix = '.gone-';

/** A unique name for a folder before it is a sandbox or after it was one. */
export const asideName = (prefix: string, folder: string): string => `${prefix}${basename(folder)}-${randomUUID()}`;

/** The sandbox's folder that such a name stands for; undefined for any other name. */
export function findOriginal(rootDir: string, name: string): string | undefined {
  const prefix = [freshPrefix, gonePrefix].find((each) => name.startsWith(each));
  return prefix && join(rootDir, name.slice(prefix.length, -'-'.length - randomUUID().length));
}

/** The folder of a sandbox. Its name is readable, and different for different ids. */
export function sandboxFolder(rootDir: string, id: string): string {
  const readable = id.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 40);
  return join(rootDir, `${readable}-${createHash('sha256').update(id).digest('hex').slice(0, 12)}`);
}

/** Makes the sandbox's folder, or finds the one that another process made. Repeatable, also at the same time. */
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
    await writeBlueprintFiles(join(fresh, 'blueprint'), blueprint);
    await writeFile(join(fresh, 'sandbox.json'), JSON.stringify(record, null, 2));
    await writeLease(fresh, spec.leaseMs);
    await rename(fresh, folder);
    await removeFresh(rootDir, folder);
    return record;
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (hasCode(error, 'EEXIST', 'ENOTEMPTY')) return await ensureFolder(rootDir, spec);
    // Another process that made the sandbox meanwhile has removed ours, and so has one that destroyed it.
    const made = isMissing(error) ? await findRecord(folder) : undefined;
    if (!made) throw error;
    return made;
  }
}

/**
 * Writes the blueprint's files. bubblewrap mounts their folder read-only; without isolation, the modes protect against
 * accidental writes.
 */
async function writeBlueprintFiles(folder: string, files: readonly BlueprintFile[]): Promise<void> {
  await mkdir(folder);
  for (const { path, executable, base64 } of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.from(base64, 'base64'), { flag: 'wx' });
    // The mode is set separately, because the umask narrows the mode of a new file.
    await chmod(file, executable ? 0o555 : 0o444);
  }
}

/**
 * Removes folders of a sandbox that were never finished, because their maker was killed or came too late. Repeatable.
 */
export async function removeFresh(rootDir: string, folder: string): Promise<void> {
  for (const name of await listNames(rootDir)) {
    if (name.startsWith(freshPrefix) && findOriginal(rootDir, name) === folder)
      await rm(join(rootDir, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Reads a sandbox's record; undefined if there is no such sandbox. */
export async function findRecord(folder: string): Promise<SandboxRecord | undefined> {
  try {
    return SandboxRecord.parse(JSON.parse(await readFile(join(folder, 'sandbox.json'), 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The records of all sandboxes under a root. One that disappears meanwhile is left out. */
export async function listRecords(rootDir: string): Promise<SandboxRecord[]> {
  const names = await listNames(rootDir);
  const records = await Promise.all(
    names.filter((name) => !name.startsWith('.')).map(async (name) => await findRecord(join(rootDir, name))),
  );
  return records.filter((record) => record !== undefined);
}

/** The names under a root; an empty list if the root doesn't exist. */
export async function listNames(rootDir: string): Promise<string[]> {
  return await readdir(rootDir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}
