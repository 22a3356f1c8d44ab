/** Finds who sends a message. A run keeps the name with the message. */
import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';

/** The user's name as git knows it, else the login name. */
export async function findPerson(): Promise<string> {
  const named = await promisify(execFile)('git', ['config', '--get', 'user.name']).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return (named || process.env['USER'] || userInfo().username).slice(0, 200);
}
