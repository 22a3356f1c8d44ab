import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { checkBlueprint } from '../../blueprints/check.ts';
import { stepKinds } from '../../blueprints/kinds/kinds.ts';
import { issuesOf, onlyIssue, stepIssues } from './support.ts';

test('an unknown kind of step is refused at its key, with a suggestion', () => {
  const issue = onlyIssue('  - runn: ls');
  assert.deepEqual([issue.code, issue.line, issue.column, issue.hint], ['unknown-step', 5, 5, 'did you mean `run`?']);
  assert.equal(onlyIssue('  - frobnicate: ls').hint, `the kinds are ${stepKinds.join(', ')}`);
});

test('an unknown field is refused at its key, at every level', () => {
  assert.deepEqual(
    issuesOf(
      'blueprint: v1\nname: test\nsandbox: { imag: x }\nsteps:\n  - agent: { task: x, turn: 3 }\n    colour: red\n',
    ),
    ['3:12 unknown-key sandbox.imag', '5:23 unknown-key steps[0].agent.turn', '6:5 unknown-key steps[0].colour'],
  );
});

test('a misspelt timeout is refused, and the correct word suggested', () => {
  const issue = onlyIssue('  - run: ls\n    timout: 10m');
  assert.deepEqual([issue.code, issue.path, issue.hint], ['unknown-key', 'steps[0].timout', 'did you mean `timeout`?']);
});

test('a step has exactly one action key', () => {
  assert.equal(onlyIssue('  - title: nothing').code, 'step-without-action');
  assert.equal(onlyIssue('  - run: ls\n    check: [ls]').code, 'step-with-many-actions');
  assert.equal(onlyIssue('  - 7').code, 'wrong-type');
});

test('kinds of step that this version lacks are reported as such', () => {
  for (const kind of ['parallel', 'repeat', 'call', 'tool'])
    assert.equal(onlyIssue(`  - ${kind}: {}`).code, 'step-not-available');
});

test('negative, unlimited, quoted and infinite numbers are refused', () => {
  const wrong: [string, string][] = [
    ['timeout', '"10"'],
    ['timeout', '10'],
    ['timeout', '-10s'],
    ['timeout', '0s'],
    ['timeout', '.nan'],
    ['timeout', '1e999'],
    ['timeout', '23976h'],
    ['timeout', '999d'],
    ['retry', '-1'],
    ['retry', '1.5'],
    ['retry', '.inf'],
    ['retry', '"3"'],
  ];
  for (const [key, value] of wrong) {
    const issue = onlyIssue(`  - run: ls\n    ${key}: ${value}`);
    assert.match(issue.code, /^wrong-(type|value)$/, `${key}: ${value}`);
    assert.deepEqual([issue.path, issue.line, issue.column], [`steps[0].${key}`, 6, key.length + 7]);
  }
  for (const budget of [
    'usd: .nan',
    'usd: -1',
    'usd: 1e999',
    'usd: 0',
    'tokens: 1e999',
    'tokens: 1.5',
    'time: 999h',
    'time: 3',
    'turns: -1',
  ]) {
    assert.equal(issuesOf(`blueprint: v1\nname: test\nbudget: { ${budget} }\nsteps: [ run: ls ]`).length, 1, budget);
  }
});

test('a missing key is reported at the map that lacks it', () => {
  assert.deepEqual(issuesOf('blueprint: v1\nsteps:\n  - change: {}\n'), [
    '1:1 missing-key name',
    '3:5 missing-key steps[0].change.title',
  ]);
});

test('all problems are reported at once, in the order of the text', () => {
  const issues = stepIssues(
    "  - run: ''\n    timeout: 3\n    if: steps.none.stdout == ''\n  - chek: [ls]\n  - run: ls\n    id: A\n",
  );
  assert.deepEqual(
    issues.map(({ code, line }) => `${line} ${code}`),
    ['5 wrong-value', '6 wrong-type', '7 unknown-reference', '8 unknown-step', '10 wrong-value'],
  );
});

test('expressions of a step are checked even if another key of it is wrong', () => {
  assert.deepEqual(
    stepIssues("  - run: ls\n    timeout: 3\n    if: steps.none.stdout == ''\n").map(({ code }) => code),
    ['wrong-type', 'unknown-reference'],
  );
});

test('checking a checked blueprint again gives the same value', () => {
  const step = fc.oneof(
    fc.record({ run: fc.constantFrom('ls', 'make'), retry: fc.nat(10) }, { noNullPrototype: true }),
    fc.record(
      {
        check: fc.array(fc.constantFrom('ls', 'make'), { minLength: 1, maxLength: 3 }),
        timeout: fc.constantFrom('10m', '90s', '720h'),
      },
      { noNullPrototype: true },
    ),
    fc.record(
      {
        agent: fc.record(
          { task: fc.stringMatching(/^[a-z][a-z ]{0,19}$/), turns: fc.integer({ min: 1, max: 1000 }) },
          { noNullPrototype: true },
        ),
        verify: fc.constant(['ls']),
      },
      { noNullPrototype: true },
    ),
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), (steps) => {
      const { blueprint, issues } = checkBlueprint(JSON.stringify({ blueprint: 'v1', name: 'test', steps }), {
        file: 'b.yaml',
      });
      assert.deepEqual(issues, []);
      assert.deepEqual(blueprint, { blueprint: 'v1', name: 'test', steps });
      assert.deepEqual(checkBlueprint(JSON.stringify(blueprint), { file: 'b.yaml' }).blueprint, blueprint);
    }),
    { numRuns: 50 },
  );
});
