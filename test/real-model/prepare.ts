/**
 * Builds the model's server and fetches its weights before the tests, since their minutes are no test's. Repeatable.
 * Where that can't be, the tests are skipped.
 */
import { findMissingBuildTool } from './server-program.ts';
import { ensureModel } from './server.ts';

export default async function prepare(): Promise<void> {
  const missing = await findMissingBuildTool();
  if (missing === undefined) await ensureModel((line) => console.log(line));
  else console.log(`The tests on a real model are skipped: ${missing}`);
}
