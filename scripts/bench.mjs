/** `npm run bench`: what Jig costs beside doing the same without it. `--json` for programs, names to measure only some. */
import { join } from 'node:path';
import { become, ensureInstalled, findNode24, orSayWhy, root } from '../bin/install.mjs';

const node = await orSayWhy(async () => {
  await ensureInstalled();
  return findNode24();
});
await become(node, [join(root, 'bench', 'main.ts'), ...process.argv.slice(2)]);
