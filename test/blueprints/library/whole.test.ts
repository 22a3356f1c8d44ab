import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { checkBlueprint } from '../../../blueprints/check.ts';
import { readBlueprintFolder } from '../../../client/read-blueprint.ts';

const library = join(import.meta.dirname, '../../../blueprints/library');

for (const name of readdirSync(library)) {
  test(`${name} is complete: it has no problems, every program that it names exists, and no program is in its text`, async () => {
    const { file, bytes, files, problems } = await readBlueprintFolder(join(library, name));
    const text = Buffer.from(bytes).toString();
    assert.deepEqual([...problems, ...checkBlueprint(bytes, { file }).issues], []);
    const named = [...text.matchAll(/(?:\$JIG_BLUEPRINT|\$\{\{ blueprint\.path \}\})\/([\w./-]+)/g)].map(
      ([, path]) => path,
    );
    assert.deepEqual(new Set(named), new Set(files.map(({ path }) => path)));
    assert.doesNotMatch(text, /<<-?\s*['"\\]?\w/);
  });
}
