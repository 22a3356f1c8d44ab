/**
 * Random blueprints, with random people and faults, against a plain model of the language. `JIG_PROPERTY_CASES` says how
 * many; `JIG_PROPERTY_SEED` begins at a case that failed.
 */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import * as fc from 'fast-check';
import pLimit from 'p-limit';
import { anyCase } from './cases.ts';
import { compare } from './compare.ts';
import { startSuite, type Suite } from './suite.ts';

const cases = Number(process.env['JIG_PROPERTY_CASES'] ?? 1000);
const firstSeed = Number(process.env['JIG_PROPERTY_SEED'] ?? Date.now() % 1_000_000_000);
const casesAtOnce = 25;
/** The first few say it all. */
const maxFailures = 3;

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite[Symbol.asyncDispose]());

test('a run comes to what a plain reading of its blueprint says, whatever people do and whatever breaks', async () => {
  const failures: string[] = [];
  const counts = { all: 0, end: 0, nothing: 0 };
  const startedAtMs = Date.now();
  const limit = pLimit(casesAtOnce);
  const carryOut = async (seed: number): Promise<void> => {
    const [ofCase] = fc.sample(anyCase, { seed, numRuns: 1 });
    if (!ofCase || failures.length >= maxFailures) return;
    try {
      counts[compare(ofCase, await suite.run(ofCase))] += 1;
    } catch (error) {
      const again = `JIG_PROPERTY_SEED=${seed} JIG_PROPERTY_CASES=1 npm test -- property`;
      failures.push(`${again}\n${JSON.stringify(ofCase)}\n${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await Promise.all(Array.from({ length: cases }, (_, index) => limit(() => carryOut(firstSeed + index))));
  const tookS = (Date.now() - startedAtMs) / 1000;
  console.log(`${cases} cases from seed ${firstSeed} in ${tookS.toFixed(0)} s: ${JSON.stringify(counts)}`);
  assert.ok(failures.length === 0, failures.join('\n\n'));
});
