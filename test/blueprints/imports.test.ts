import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

const folder = join(import.meta.dirname, '../../blueprints');

/** Everything that a file imports, and what those files import. */
async function importsOf(file: string, found = new Set<string>()): Promise<Set<string>> {
  for (const [, name = ''] of (await readFile(join(folder, file), 'utf8')).matchAll(
    /^(?:import|export) (?!type )[^;]*?from '([^']+)';$/gms,
  )) {
    if (found.has(name)) continue;
    found.add(name);
    if (name.startsWith('./')) await importsOf(name, found);
  }
  return found;
}

test('what the workflows bundle needs neither YAML nor Node', async () => {
  for (const file of [
    'schema.ts',
    'expressions.ts',
    'steps.ts',
    'defaults.ts',
    'outputs.ts',
    'errors.ts',
    'inputs.ts',
  ]) {
    const packages = [...(await importsOf(file))].filter((name) => !name.startsWith('./'));
    assert.deepEqual(
      packages.filter((name) => name !== 'zod' && name !== '@marcbachmann/cel-js'),
      [],
      file,
    );
  }
});

test('the language imports nothing of ours but itself', async () => {
  for (const file of ['check.ts', 'reference-pages.ts', 'render-issues.ts', 'json-schema.ts']) {
    for (const name of await importsOf(file)) assert.doesNotMatch(name, /^\.\./, file);
  }
});
