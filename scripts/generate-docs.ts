/** Writes the generated pages of docs/, and removes pages of errors that no longer exist. Repeatable. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { referenceFiles } from '../blueprints/reference-pages.ts';
import { commandPage } from './command-page.ts';
import { configurationPage } from './configuration-page.ts';
import { modelPresetsPage } from './model-presets-page.ts';
import { runnersPage } from './runners-page.ts';

const root = join(import.meta.dirname, '..');
const files = new Map([
  ...referenceFiles(),
  ['docs/reference/configuration.md', configurationPage()],
  ['docs/reference/command-line.md', await commandPage()],
  ['docs/reference/test-runners.md', runnersPage()],
  ['docs/reference/model-presets.md', modelPresetsPage()],
]);
for (const [path, text] of files) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}
for (const name of await readdir(join(root, 'docs/errors'))) {
  if (!files.has(`docs/errors/${name}`)) await rm(join(root, 'docs/errors', name));
}
console.log(`${files.size} pages`);
