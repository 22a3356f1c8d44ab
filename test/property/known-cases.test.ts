import { expect, test } from 'vitest';
import { compare } from './compare.ts';
import { knownCases } from './known-cases.ts';
import { startSuite } from './suite.ts';

test('a run that once went wrong does what its blueprint says', async () => {
  await using suite = await startSuite();
  for (const [name, ofCase] of Object.entries(knownCases))
    expect(compare(ofCase, await suite.run(ofCase)), name).toBe('all');
});
