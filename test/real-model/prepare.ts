/**
 * Builds the model's server and fetches its weights before the tests, since their minutes are no test's. Repeatable.
 * Where that can't be, the tests are skipped.
 */
import { crashVariable, findCrash, findMissingBuildTool } from './server-program.ts';
import { ensureModel } from './server.ts';

export default async function prepare(): Promise<void> {
  let missing = await findMissingBuildTool();
  if (missing === undefined) {
    const { program, weights } = await ensureModel((line) => console.log(line));
    missing = await findCrash(program, weights);
    if (missing !== undefined) process.env[crashVariable] = missing;
  }
  if (missing !== undefined) console.log(`The tests on a real model are skipped: ${missing}`);
}

if (import.meta.main) await prepare();
