import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { errorPages } from '../../base/errors.ts';
import { blueprintJsonSchema } from '../../blueprints/json-schema.ts';
import { referenceFiles } from '../../blueprints/reference-pages.ts';

const root = join(import.meta.dirname, '../..');

test('the reference and the error pages are what `npm run docs` writes', async () => {
  const files = referenceFiles();
  for (const [path, text] of files)
    assert.equal(await readFile(join(root, path), 'utf8'), text, `${path} is stale: run \`npm run docs\``);
  for (const name of await readdir(join(root, 'docs/errors')))
    assert.ok(files.has(`docs/errors/${name}`), `${name} is the page of no error`);
});

test('every code in the source has a page', async () => {
  const folders = [
    'activities',
    'agent',
    'artifacts',
    'binaries',
    'blueprints',
    'cli',
    'client',
    'evidence',
    'forge',
    'git',
    'model',
    'sandbox',
    'worker',
    'workflows',
  ];
  for (const folder of folders) {
    for (const name of await readdir(join(root, folder), { recursive: true })) {
      if (!name.endsWith('.ts')) continue;
      const source = await readFile(join(root, folder, name), 'utf8');
      for (const [, code] of source.matchAll(/new JigError\(\s*'([a-z-]+)'/g))
        assert.ok(code && Object.hasOwn(errorPages, code), `${folder}/${name}: ${code}`);
    }
  }
});

test('a code has small letters and hyphens, and its page says what happened, why, and what to do', () => {
  for (const [code, { title, why, fix }] of Object.entries(errorPages)) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    assert.doesNotMatch(title, /\.$/, code);
    for (const sentence of [why, fix]) assert.match(sentence, /\.$/, code);
  }
});

test('every key of the language has a description', () => {
  const missing: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === 'properties' && !path.endsWith('.properties')) {
        for (const [name, property] of Object.entries<object>(value))
          if (!('description' in property)) missing.push(`${path}.${name}`);
      }
      visit(value, `${path}.${key}`);
    }
  };
  visit(blueprintJsonSchema(), '');
  assert.deepEqual(missing, []);
});
