/**
 * As many cases as are asked for, without a test's bounds of time:
 * `JIG_PROPERTY_CASES=20000 node_modules/.bin/node test/property/main.ts`
 */
import { carryOutCases } from './carry-out-cases.ts';

const { said, failures } = await carryOutCases(process.env);
process.stdout.write(`${[said, ...failures].join('\n\n')}\n`);
process.exit(failures.length === 0 ? 0 : 1);
