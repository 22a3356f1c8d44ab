#!/usr/bin/env node
/**
 * Jig's command, also in a fresh clone. It installs what is missing, finds a node that runs TypeScript, and runs
 * cli/main.ts.
 */
import { join } from 'node:path';
import { ensureInstalled, exitOnSetupFailure, findNode24, root, runInstead } from './install.mjs';

const main = join(root, 'cli', 'main.ts');
const node = await exitOnSetupFailure(async () => {
  await ensureInstalled();
  return findNode24();
});
if (node === process.execPath) await import(main);
else await runInstead(node, [main, ...process.argv.slice(2)]);
