import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Makes the folder `path` and fills it with `fill`, or finds it. It exists as a whole or not at all, even if other
 * processes make it at the same time. `scratch` is a temporary folder for `fill`, which is removed. Repeatable.
 * @throws what `fill` throws; then nothing is left behind
 */
export async function ensureFolder(
  path: string,
  fill: (folder: string, scratch: string) => Promise<void>,
): Promise<void> {
  if (await exists(path)) return;
  await mkdir(dirname(path), { recursive: true });
  const staging = await mkdtemp(`${path}.making-`);
  try {
    const folder = join(staging, 'folder');
    const scratch = join(staging, 'scratch');
    await mkdir(folder);
    await mkdir(scratch);
    await fill(folder, scratch);
    await rename(folder, path).catch(async (error: unknown) => {
      if (!(await exists(path))) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
