import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { commandPage } from '../../scripts/command-page.ts';
import { configurationPage } from '../../scripts/configuration-page.ts';
import { modelPresetsPage } from '../../scripts/model-presets-page.ts';
import { runnersPage } from '../../scripts/runners-page.ts';
import { root } from './markdown.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('generated pages are the ones that `npm run docs` writes', () => {
  it('of the configuration, with a description of each key', () => {
    const page = configurationPage();
    assert.equal(read('docs/reference/configuration.md'), page);
    assert.deepEqual(
      page.split('\n').filter((line) => /^\| `.*\|  \|$/.test(line)),
      [],
    );
  });

  it('of the test runners', () => {
    assert.equal(read('docs/reference/test-runners.md'), runnersPage());
  });

  it('of the command line', async () => {
    assert.equal(read('docs/reference/command-line.md'), await commandPage());
  });

  it('of the presets of model servers', () => {
    assert.equal(read('docs/reference/model-presets.md'), modelPresetsPage());
  });
});
