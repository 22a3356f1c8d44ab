/** Removes what a killed worker left: files that it never moved into place, or never finished removing. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { incomingFolder } from '../artifacts/folder.ts';
import { dataFolders } from '../client/data-folders.ts';
import { quarantineFolder } from '../git/quarantine.ts';
import { removeGone, removeTree } from '../sandbox/local/destroy.ts';
import { freshPrefix } from '../sandbox/local/layout.ts';

/** Far longer than anything is temporary, so no other worker of the folder is still using it. */
const leftoverAgeMs = 24 * 3_600_000;
const removeEveryMs = 3_600_000;

/** Removes leftovers at intervals until the signal aborts. */
export async function runLeftovers(place: { dataDir: string; log: Logger }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await removeLeftovers(place);
    await wait(removeEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Removes leftovers once, and returns the removed paths. What can't be removed is logged and left. Repeatable, also at
 * the same time.
 */
export async function removeLeftovers(
  { dataDir, log }: { dataDir: string; log: Logger },
  nowMs = Date.now(),
): Promise<string[]> {
  const { artifacts, git, sandboxes } = dataFolders(dataDir);
  // Another worker that is removing the same sandbox doesn't mind.
  await removeGone(sandboxes).catch((error: unknown) =>
    log.warn({ path: sandboxes, err: error }, 'a sandbox could not be removed completely'),
  );
  const places = [
    { folder: incomingFolder(artifacts), prefix: '' },
    { folder: quarantineFolder(git), prefix: '' },
    { folder: sandboxes, prefix: freshPrefix },
  ];
  const removed: string[] = [];
  for (const { folder, prefix } of places) {
    const names = await readdir(folder).catch(() => []);
    for (const path of names.filter((name) => name.startsWith(prefix)).map((name) => join(folder, name))) {
      const changedAtMs = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => nowMs,
      );
      if (changedAtMs + leftoverAgeMs > nowMs) continue;
      try {
        await removeTree(path);
        removed.push(path);
      } catch (error) {
        log.warn({ path, err: error }, 'a leftover could not be removed');
      }
    }
  }
  if (removed.length > 0) log.info({ removed }, 'removed leftovers of a worker that was killed');
  return removed;
}
