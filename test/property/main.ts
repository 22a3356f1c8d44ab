/**
 * Carries out any number of random cases, without a test's time limit, or repeats one case by its seed:
 * `JIG_PROPERTY_CASES=20000 node_modules/.bin/node test/property/main.ts`
 */
import { carryOutCases } from './carry-out-cases.ts';

const { JIG_PROPERTY_CASES: cases = 1000, JIG_PROPERTY_SEED: seed } = process.env;
const { said, failures } = await carryOutCases({
  cases: Number(cases),
  ...(seed !== undefined && { firstSeed: Number(seed) }),
});
process.stdout.write(`${[said, ...failures].join('\n\n')}\n`);
process.exit(failures.length === 0 ? 0 : 1);
