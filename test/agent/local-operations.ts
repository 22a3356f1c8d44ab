/** Tools' operations on a temporary folder of this machine. */
import { isUtf8 } from 'node:buffer';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { ToolOperations } from '../../agent/operations.ts';
import { createMatcher } from '../../git/globs.ts';

export interface LocalFolder extends AsyncDisposable {
  path: string;
  operations: ToolOperations;
  text(path: string): Promise<string>;
}

export async function makeFolder(
  files: Record<string, string>,
  options: { allowPaths?: string[] } = {},
): Promise<LocalFolder> {
  const path = await mkdtemp(join(tmpdir(), 'jig-tools-'));
  const operations: ToolOperations = {
    workspaceDir: path,
    writable: options.allowPaths && { globs: options.allowPaths, matches: createMatcher(options.allowPaths) },
    async readFile(name, maxBytes) {
      const info = await stat(join(path, name)).catch(() => undefined);
      if (!info?.isFile()) return undefined;
      return {
        sizeBytes: info.size,
        text: info.size > maxBytes ? undefined : await readFile(join(path, name), 'utf8'),
        isUtf8: isUtf8(await readFile(join(path, name))),
      };
    },
    async writeFile(name, text) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), text);
    },
    async runCommand([program = '', ...words], timeoutMs) {
      const { exitCode, stdout, stderr, timedOut } = await execa(program, words, {
        cwd: path,
        timeout: timeoutMs,
        reject: false,
      });
      return { exitCode: exitCode ?? 137, ending: timedOut ? 'deadline' : 'exited', stdout, stderr, droppedBytes: 0 };
    },
  };
  for (const [name, text] of Object.entries(files)) await operations.writeFile(name, text);
  return {
    path,
    operations,
    text: (name) => readFile(join(path, name), 'utf8'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}
