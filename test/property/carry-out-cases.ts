/** Carries out random cases, several at a time, and reports those whose result is wrong. */
import * as fc from 'fast-check';
import pLimit from 'p-limit';
import { anyCase } from './cases.ts';
import { compare } from './compare.ts';
import { startSuite } from './suite.ts';

const casesAtOnce = 25;
/** A few failures are enough to see what is wrong. */
const maxFailures = 3;

const anySeed = (): number => Math.floor(Math.random() * 1_000_000_000);

/** The seed of each case is the first seed plus its number. */
export async function carryOutCases({
  cases,
  firstSeed = anySeed(),
}: {
  cases: number;
  firstSeed?: number;
}): Promise<{ said: string; failures: string[] }> {
  await using suite = await startSuite();
  const failures: string[] = [];
  const foreseen = { all: 0, end: 0, nothing: 0 };
  const startedAtMs = Date.now();
  const limit = pLimit(casesAtOnce);
  const carryOut = async (seed: number): Promise<void> => {
    const [ofCase] = fc.sample(anyCase, { seed, numRuns: 1 });
    if (!ofCase || failures.length >= maxFailures) return;
    try {
      foreseen[compare(ofCase, await suite.run(ofCase))] += 1;
    } catch (error) {
      const again = `JIG_PROPERTY_SEED=${seed} JIG_PROPERTY_CASES=1 node_modules/.bin/node test/property/main.ts`;
      failures.push([again, JSON.stringify(ofCase), error instanceof Error ? error.message : String(error)].join('\n'));
    }
  };
  await Promise.all(Array.from({ length: cases }, (_, index) => limit(() => carryOut(firstSeed + index))));
  const tookS = Math.round((Date.now() - startedAtMs) / 1000);
  const { all, end, nothing } = foreseen;
  const sure = `checked as a whole: ${all}, only their end: ${end}, only what always holds: ${nothing}`;
  return {
    said: `${cases} cases from seed ${firstSeed} in ${tookS} s: ${sure}`,
    failures: failures.slice(0, maxFailures),
  };
}
