/** Builds the model's server and fetches its weights before the tests, since their minutes are no test's. Where that can't be, the tests say why. */
import { findMissingBuildTool } from './server-program.ts';
import { ensureModel } from './server.ts';

if ((await findMissingBuildTool()) === undefined) await ensureModel((line) => console.log(line));
