import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Everything that a file imports, and what those files import; files of ours by their path from the root. */
async function importsOf(file: string, found = new Set<string>()): Promise<Set<string>> {
  for (const [, name = ''] of (await readFile(join(root, file), 'utf8')).matchAll(
    /^(?:import|export) (?!type )[^;]*?from '([^']+)';$/gms,
  )) {
    const path = name.startsWith('.') ? join(file, '..', name) : name;
    if (found.has(path)) continue;
    found.add(path);
    if (name.startsWith('.')) await importsOf(path, found);
  }
  return found;
}

const isOurs = (path: string): boolean => path.endsWith('.ts');

test('the code that workflows bundle needs neither YAML nor Node', async () => {
  for (const file of [
    'blueprints/schema.ts',
    'blueprints/expressions.ts',
    'blueprints/steps.ts',
    'blueprints/outputs.ts',
    'blueprints/inputs.ts',
    'base/defaults.ts',
    'base/errors.ts',
  ]) {
    const packages = [...(await importsOf(file))].filter((path) => !isOurs(path));
    assert.deepEqual(
      packages.filter((name) => name !== 'zod' && name !== '@marcbachmann/cel-js'),
      [],
      file,
    );
  }
});

test('the language imports only itself and the base', async () => {
  for (const file of ['check.ts', 'reference-pages.ts', 'render-issues.ts', 'json-schema.ts']) {
    const ours = [...(await importsOf(`blueprints/${file}`))].filter(isOurs);
    assert.deepEqual(
      ours.filter((path) => !/^(?:blueprints|base)\//.test(path)),
      [],
      file,
    );
  }
});

test('a check loads Ajv only when a blueprint has an answer', async () => {
  const packages = [...(await importsOf('blueprints/check.ts'))].filter((path) => !isOurs(path));
  assert.deepEqual(
    packages.filter((name) => name.startsWith('ajv')),
    [],
  );
});
