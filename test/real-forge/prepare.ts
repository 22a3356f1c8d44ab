/** Builds the code host before the tests, since its minutes are no test's. Repeatable. Where it can't be built, the tests are skipped. */
import { ensureGiteaProgram, findMissingBuildTool } from './gitea-program.ts';

export default async function prepare(): Promise<void> {
  const missing = await findMissingBuildTool();
  if (missing === undefined) await ensureGiteaProgram((line) => console.log(line));
  else console.log(`The tests on a real Gitea are skipped: ${missing}`);
}

if (import.meta.main) await prepare();
