import assert from 'node:assert/strict';
import { test } from 'vitest';
import { onlyIssue, stepIssues, summary } from './support.ts';

test('an id is unique, inside an each too', () => {
  const issue = onlyIssue('  - { id: a, run: ls }\n  - { id: a, run: ls }');
  assert.equal(summary(issue), '6:11 duplicate-id steps[1].id');
  assert.match(issue.message, /line 5/);
  assert.equal(
    onlyIssue("  - { id: a, run: ls }\n  - { each: '${{ [1] }}', as: x, do: [ { id: a, run: ls } ] }").path,
    'steps[1].do[0].id',
  );
});

test('words of the expression language can’t be ids or items', () => {
  for (const id of ['in', 'null']) assert.equal(onlyIssue(`  - { id: "${id}", run: ls }`).code, 'reserved-name');
  for (const item of ['inputs', 'steps', 'run', 'in', 'for', 'string', 'map', 'cel'])
    assert.equal(onlyIssue(`  - { each: '\${{ [1] }}', as: "${item}", do: [ run: ls ] }`).code, 'reserved-name', item);
  assert.equal(
    onlyIssue("  - { each: '${{ [1] }}', as: x, do: [ { each: '${{ [1] }}', as: x, do: [ run: ls ] } ] }").code,
    'reserved-name',
  );
  assert.deepEqual(
    stepIssues(
      "  - { each: '${{ [1] }}', as: x, do: [ run: ls ] }\n  - { each: '${{ [1] }}', as: x, do: [ run: ls ] }",
    ),
    [],
  );
});

test('attempts needs verify', () => {
  assert.equal(
    summary(onlyIssue('  - agent: { task: x }\n    attempts: 2')),
    '6:5 attempts-without-verify steps[0].attempts',
  );
  assert.deepEqual(stepIssues('  - { agent: { task: x }, verify: [ls], attempts: 2 }'), []);
});

test('ci needs a change before it', () => {
  assert.equal(onlyIssue('  - ci: {}').code, 'ci-without-change');
  assert.equal(onlyIssue('  - ci: {}\n  - change: { title: x }').code, 'ci-without-change');
  assert.deepEqual(stepIssues('  - change: { title: x }\n  - ci: {}'), []);
});

test('nothing can follow an end without a condition', () => {
  const end = 'end: { outcome: failed, reason: x }';
  assert.equal(summary(onlyIssue(`  - ${end}\n  - run: ls\n  - run: ls`)), '6:5 unreachable-step steps[1]');
  assert.equal(onlyIssue(`  - { ${end}, if: true }\n  - run: ls`).code, 'unreachable-step');
  assert.deepEqual(stepIssues(`  - { ${end}, if: "run.id == ''" }\n  - run: ls\n  - ${end}`), []);
});

function each(inner: string, item: string): string {
  return `{ each: '\${{ [1] }}', as: ${item}, do: [ ${inner} ] }`;
}

test('each is nested at most twice', () => {
  assert.deepEqual(stepIssues(`  - ${each(each('{ run: ls }', 'b'), 'a')}`), []);
  assert.equal(onlyIssue(`  - ${each(each(each('{ run: ls }', 'c'), 'b'), 'a')}`).code, 'each-too-deep');
});

test('steps that happen once in a run can’t be inside an each', () => {
  for (const step of ['change: { title: x }', 'end: { outcome: failed, reason: x }']) {
    assert.equal(onlyIssue(`  - { each: '\${{ [1] }}', as: x, do: [ { ${step} } ] }`).code, 'not-inside-each', step);
  }
  assert.equal(
    onlyIssue("  - change: { title: x }\n  - { each: '${{ [1] }}', as: x, do: [ { ci: {} } ] }").code,
    'not-inside-each',
  );
});

test('approve can be inside an each', () => {
  assert.deepEqual(
    stepIssues(
      `  - ${each('{ id: ask, approve: { question: "${{ a }}?" } }, { run: ls, if: steps.ask.by != "" }', 'a')}`,
    ),
    [],
  );
  assert.deepEqual(stepIssues(`  - ${each(each('{ approve: {} }', 'b'), 'a')}`), []);
});

test('approve does not need an agent before it', () => {
  assert.deepEqual(stepIssues('  - run: ls\n  - approve: { rounds: 2 }\n  - check: [ ls ]\n  - approve: {}'), []);
});

test('on-failure: continue is refused on a change', () => {
  assert.equal(onlyIssue('  - { change: { title: x }, on-failure: continue }').code, 'continue-after-side-effect');
});

test('keys that would have no effect are refused', () => {
  assert.equal(
    summary(onlyIssue('  - edit: { path: a, old: b, new: c }\n    env: { A: b }')),
    '6:5 key-without-effect steps[0].env',
  );
  assert.equal(onlyIssue('  - { end: { outcome: failed, reason: x }, timeout: 3m }').code, 'key-without-effect');
  assert.equal(onlyIssue('  - { agent: { task: x }, retry: 2 }').code, 'key-without-effect');
  assert.equal(
    stepIssues('  - { change: { title: x }, timeout: 3m, retry: 2 }\n  - { ci: {}, timeout: 3m, retry: 2 }').filter(
      ({ code }) => code === 'key-without-effect',
    ).length,
    4,
  );
});

test('a list has at most 200 steps, and a blueprint at most 1,000', () => {
  assert.equal(stepIssues(Array.from({ length: 200 }, () => '  - run: ls').join('\n')).length, 0);
  assert.equal(onlyIssue(Array.from({ length: 201 }, () => '  - run: ls').join('\n')).code, 'wrong-value');
  assert.equal(onlyIssue(Array.from({ length: 10_000 }, () => '  - run: ls').join('\n')).code, 'blueprint-too-large');
  const inner = Array.from({ length: 32 }, () => '{ run: ls }').join(', ');
  const issue = onlyIssue(
    Array.from({ length: 40 }, () => `  - { each: '\${{ [1] }}', as: x, do: [ ${inner} ] }`).join('\n'),
  );
  assert.deepEqual([issue.code, issue.path], ['too-many-steps', 'steps[30].do[9]']);
});

test('a default must be an allowed value of its input', () => {
  const right = [
    'string, default: x',
    'integer, default: 3',
    'number, default: 1.5',
    'boolean, default: false',
    'list, default: [a, b]',
    'string, enum: [a, b], default: a',
    'list, enum: [a, b], default: [a]',
  ];
  for (const input of right) assert.deepEqual(stepIssues('  - run: ls', `{ x: { type: ${input} } }`), [], input);
  const wrong = [
    'string, default: 3',
    'integer, default: 1.5',
    'integer, default: "3"',
    'number, default: x',
    'boolean, default: "true"',
    'list, default: a',
    'string, enum: [a, b], default: c',
    'list, enum: [a], default: [a, c]',
  ];
  for (const input of wrong)
    assert.equal(onlyIssue('  - run: ls', `{ x: { type: ${input} } }`).code, 'invalid-default', input);
  assert.match(onlyIssue('  - run: ls', '{ x: { type: number, default: .nan } }').code, /wrong-|invalid-/);
});

test('globs that matchers read in different ways, are refused', () => {
  for (const glob of ['+(a|aa)x', '!src/**', '/etc/**', '../**', '[a', '[[:alpha:]]', '{1..9}', '', 'a'.repeat(513)]) {
    assert.equal(onlyIssue(`  - agent: { task: x, allow-paths: [ "${glob}" ] }`).code, 'wrong-value', glob);
  }
  for (const glob of [
    'src/**/*.py',
    '**/*.test.ts',
    '*.md',
    'docs/**',
    '.github/x?.yml',
    './src/**',
    '{a,b}/**',
    'app/(group)/[id]/+page.ts',
    '*a*a*a*a*a*x',
  ])
    assert.deepEqual(stepIssues(`  - agent: { task: x, allow-paths: [ "${glob}" ] }`), [], glob);
  for (const property of ['pattern: { type: string }', 'properties: { type: string }', 'a: { enum: [ pattern ] }'])
    assert.deepEqual(
      stepIssues(`  - prompt: { text: x, answer: { type: object, properties: { ${property} } } }`),
      [],
      property,
    );
});
