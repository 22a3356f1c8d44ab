/**
 * Builds what the tests need before them, since its minutes are no test's. Repeatable. Where it can't be built, the tests
 * say why.
 */
import { ensureClusterParts } from './start-cluster.ts';
import { recordVariable } from './record.ts';
import { findObstacle } from './requirements.ts';
import prepareForge from '../real-forge/prepare.ts';

export default async function prepare(): Promise<void> {
  const isThere = process.argv.includes('--current') || process.env[recordVariable] !== undefined;
  if (!isThere && (await findObstacle()) === undefined) await ensureClusterParts((line) => console.log(line));
  // Some tests have a code host too.
  await prepareForge();
}

if (import.meta.main) await prepare();
