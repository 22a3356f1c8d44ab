import { testRandomCases } from './test-random-cases.ts';

testRandomCases(3);
