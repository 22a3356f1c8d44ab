#!/usr/bin/env node
/** Jig's command, also in a fresh clone: installs what is missing, finds a node that runs TypeScript, and runs cli/main.ts. */
import { join } from 'node:path';
import { become, ensureInstalled, findNode24, orSayWhy, root } from './install.mjs';

const main = join(root, 'cli', 'main.ts');
const node = await orSayWhy(async () => {
  await ensureInstalled();
  return findNode24();
});
if (node === process.execPath) await import(main);
else await become(node, [main, ...process.argv.slice(2)]);
