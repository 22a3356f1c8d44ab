/**
 * The workflows as one bundle. The bundler takes 200 MB that its process would hold for ever, so it runs in one of its
 * own; and it takes seconds, so what it made is kept for as long as no source changes.
 */
import { createHash } from 'node:crypto';
import { glob, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { findBundleFile, writeBundleFile } from './bundle-file.ts';
import { cacheDirOf } from './config.ts';

export interface WorkflowBundle {
  code: string;
}

const root = dirname(import.meta.dirname);
const program = join(import.meta.dirname, 'bundle-program.ts');
const dayMs = 24 * 3_600_000;

/** From the cache where the sources are the same. Repeatable, also by many processes at once. @throws where the bundler fails */
export async function bundleWorkflows(env: NodeJS.ProcessEnv): Promise<WorkflowBundle> {
  const folder = join(cacheDirOf(env), 'workflows');
  const path = join(folder, `${await hashSources(root)}.js`);
  const kept = await findBundleFile(path);
  if (kept !== undefined) return { code: kept };
  const code = await bundle('workflows/index.ts');
  // A cache that can't be written costs time alone.
  await keep(folder, path, code).catch(() => undefined);
  return { code };
}

/** Bundles from this entry, a path below the root, whatever the cache holds. @throws where the bundler fails */
export async function bundle(entry: string): Promise<string> {
  const { stdout } = await execa(process.execPath, [program, join(root, entry)], { stripFinalNewline: false });
  return stdout;
}

/** Of all sources, since any of them may come to be imported; of their place, which traces name; and of what packages are installed. */
export async function hashSources(root: string): Promise<string> {
  const left = new Set(['node_modules', 'test', 'docs', '.git']);
  const paths: string[] = [];
  for await (const path of glob(['*/**/*.ts', 'package.json', 'package-lock.json'], {
    cwd: root,
    exclude: (name) => left.has(name),
  }))
    paths.push(path);
  const hash = createHash('sha256').update(root);
  for (const path of paths.toSorted()) hash.update(`\0${path}\0`).update(await readFile(join(root, path)));
  return hash.digest('hex');
}

/** In place of what nobody has asked for since yesterday. */
async function keep(folder: string, path: string, code: string): Promise<void> {
  await writeBundleFile(path, code);
  for (const name of await readdir(folder)) {
    const old = join(folder, name);
    if (Date.now() - (await stat(old)).mtimeMs > dayMs) await rm(old, { force: true });
  }
}
