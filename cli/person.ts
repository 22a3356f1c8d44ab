/** Who speaks: a run keeps the name with what was said. */
import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';

/** The name that git has for the user, else the user's own. */
export async function findPerson(): Promise<string> {
  const named = await promisify(execFile)('git', ['config', '--get', 'user.name']).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return named || process.env['USER'] || userInfo().username;
}
