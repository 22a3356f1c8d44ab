/**
 * Makes the workflows into one bundle. The bundler takes 200 MB that its process never releases, so it runs in a
 * separate one. It also takes seconds, so the bundle is cached until a source changes.
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

/**
 * The bundle, from the cache if the sources are the same. Repeatable, also by many processes at the same time. @throws
 * if the bundler fails
 */
export async function bundleWorkflows(env: NodeJS.ProcessEnv): Promise<WorkflowBundle> {
  const folder = join(cacheDirOf(env), 'workflows');
  const path = join(folder, `${await hashSources(root)}.js`);
  const kept = await findBundleFile(path);
  if (kept !== undefined) return { code: kept };
  const code = await bundle('workflows/index.ts');
  // If the cache can't be written, only time is lost.
  await keep(folder, path, code).catch(() => undefined);
  return { code };
}

/** Bundles this entry, a path below the root, without the cache. @throws if the bundler fails */
export async function bundle(entry: string): Promise<string> {
  const { stdout } = await execa(process.execPath, [program, join(root, entry)], { stripFinalNewline: false });
  return stdout;
}

/**
 * The hash of all sources, since any of them may be imported one day; of their folder, which stack traces name; and of
 * the installed packages.
 */
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

/** Keeps a bundle, and removes those that weren't used for a day. */
async function keep(folder: string, path: string, code: string): Promise<void> {
  await writeBundleFile(path, code);
  for (const name of await readdir(folder)) {
    const old = join(folder, name);
    if (Date.now() - (await stat(old)).mtimeMs > dayMs) await rm(old, { force: true });
  }
}
