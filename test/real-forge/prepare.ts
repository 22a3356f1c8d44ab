/** Builds the code host before the tests, since its minutes are no test's. Where it can't be built, the tests say why. */
import { ensureGiteaProgram, findMissingBuildTool } from './gitea-program.ts';

if ((await findMissingBuildTool()) === undefined) await ensureGiteaProgram((line) => console.log(line));
