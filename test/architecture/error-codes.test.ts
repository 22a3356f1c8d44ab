import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { errorPages } from '../../base/errors.ts';
import { commandEndings } from '../../sandbox/contract.ts';
import { productSources, root } from './sources.ts';

const codes = Object.keys(errorPages);

describe('error codes', () => {
  it('are all used', () => {
    const source = productSources
      .filter(({ path }) => !/^base\/([a-z-]+-)?errors\.ts$/.test(path))
      .map(({ text }) => text)
      .join('\n');
    const ofEndings = new Set(commandEndings.map((ending) => `command-${ending}`));
    assert.deepEqual(
      codes.filter((code) => !ofEndings.has(code) && !source.includes(`'${code}'`)),
      [],
    );
  });

  it('are defined only once', () => {
    const defined = productSources
      .filter(({ path }) => /^base\/([a-z-]+-)?errors\.ts$/.test(path))
      .flatMap(({ text }) => [...text.matchAll(/^ {2}'?([a-z-]+)'?: \{$/gm)].map(([, code = '']) => code));
    assert.deepEqual(defined.toSorted(), codes.toSorted());
  });

  it('all have a page', async () => {
    const pages = await readdir(join(root, 'docs/errors'));
    assert.deepEqual(pages.toSorted(), [...codes.map((code) => `${code}.md`), 'README.md'].toSorted());
  });
});
