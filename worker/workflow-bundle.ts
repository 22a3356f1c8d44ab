/**
 * The workflows as one bundle. The bundler takes 200 MB that its process would hold for ever, so it runs in one of its
 * own; and it takes seconds, so what it made is kept for as long as no source changes.
 */
import { createHash, randomUUID } from 'node:crypto';
import { glob, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
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
  const kept = await findKept(path);
  if (kept !== undefined) return { code: kept };
  const { stdout: code } = await execa(process.execPath, [program], { stripFinalNewline: false });
  // A cache that can't be written costs time alone.
  await keep(folder, path, code).catch(() => undefined);
  return { code };
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

/** The file's first line is the hash of the others. Of a file that others could have written, nothing is run. */
async function findKept(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    const { uid, mode } = await file.stat();
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined;
    const [, hash, code = ''] = /^\/\/ ([0-9a-f]{64})\n([^]*)$/.exec(await file.readFile('utf8')) ?? [];
    return hash === hashOf(code) ? code : undefined;
  } finally {
    await file.close();
  }
}

/** In place of what nobody has asked for since yesterday. */
async function keep(folder: string, path: string, code: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, randomUUID());
  await writeFile(temporary, `// ${hashOf(code)}\n${code}`, { mode: 0o600 });
  await rename(temporary, path);
  for (const name of await readdir(folder)) {
    const old = join(folder, name);
    if (Date.now() - (await stat(old)).mtimeMs > dayMs) await rm(old, { force: true });
  }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
