/**
 * Builds what the tests need before them, since its minutes are no test's, and once, since two suites start at the same
 * time. Where it can't be built, the tests say why.
 */
import { ensureGiteaProgram, findMissingBuildTool } from '../real-forge/gitea-program.ts';
import { ensureClusterParts } from './start-cluster.ts';
import { findObstacle } from './requirements.ts';

const say = (line: string): void => console.log(line);
const isCurrent = process.argv.includes('--current');
if (!isCurrent && (await findObstacle()) === undefined) await ensureClusterParts(say);
// Some tests have a code host too.
if ((await findMissingBuildTool()) === undefined) await ensureGiteaProgram(say);
