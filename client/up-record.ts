/** The record of a running `jig up`, by which the other commands find it. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { hasEnded, ProcessIdentity } from '../base/process-identity.ts';

export const UpRecord = ProcessIdentity.extend({
  address: z.string(),
  uiUrl: z.string(),
  startedAt: z.string(),
});
export type UpRecord = z.infer<typeof UpRecord>;

export const upFile = (dataDir: string): string => join(dataDir, 'up.json');

/** The default data folder: `JIG_DATA_DIR`, or one in the user's data folder. */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  return resolve(env['JIG_DATA_DIR'] ?? join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'jig'));
}

/** The record, unless its process is known to have ended. A later process may have the same number. */
export async function findUp(dataDir: string): Promise<UpRecord | undefined> {
  try {
    const record = UpRecord.parse(JSON.parse(await readFile(upFile(dataDir), 'utf8')));
    return (await hasEnded(record)) ? undefined : record;
  } catch {
    return undefined;
  }
}
