import assert from 'node:assert/strict';
import { test } from 'vitest';
import { describeEnding } from '../../base/command-endings.ts';
import { commandEndings } from '../../sandbox/contract.ts';

for (const ending of commandEndings) {
  test(`the ending ${ending} is described in words, as the end of a sentence`, () => {
    const words = describeEnding({ ending, exitCode: 137 });
    assert.match(words, /^(ended|took|was|used|started|wrote) /);
    assert.doesNotMatch(words, /^ended as/);
  });
}
