import assert from 'node:assert/strict';
import { test } from 'vitest';
import { onlyIssue, stepIssues, summary } from './support.ts';

const survey = '  - { id: survey, run: ls }\n';

test('references to a missing step, a later step and the step itself are refused at their places', () => {
  const missing = onlyIssue(`${survey}  - { run: ls, if: steps.survay.stdout == '' }`);
  assert.deepEqual(
    [summary(missing), missing.hint, missing.endColumn],
    ['6:20 unknown-reference steps[1].if', 'did you mean `survey`?', 39],
  );
  const forward = onlyIssue(`  - { run: ls, if: steps.survey.exitCode == 0 }\n${survey}`);
  assert.equal(summary(forward), '5:20 forward-reference steps[0].if');
  assert.match(forward.message, /it is on line 6/);
  assert.equal(
    summary(onlyIssue('  - { id: self, run: [ls, "${{ steps.self.stdout }}"] }')),
    '5:32 forward-reference steps[0].run[1]',
  );
});

test('a cycle is refused, because one of its steps reads a later one', () => {
  const issue = onlyIssue(
    "  - { id: a, run: ls, if: steps.b.stdout == '' }\n  - { id: b, run: ls, if: steps.a.stdout == '' }",
  );
  assert.equal(issue.code, 'forward-reference');
});

test('a step without an id has the name of its kind', () => {
  assert.deepEqual(
    stepIssues('  - run: ls\n  - run: ls\n  - { run: ls, if: steps.run.stdout == steps.run_2.stdout }'),
    [],
  );
  assert.deepEqual(
    stepIssues('  - run: ls\n  - { run: ls, id: run }\n  - { run: ls, if: steps.run_2.stdout == steps.run.stdout }'),
    [],
  );
});

const loop = `${survey}  - id: loop
    each: \${{ steps.survey.stdout.split('\\n') }}
    as: item
    do:
      - { id: first, run: [echo, "\${{ item }}"] }
      - { id: second, run: ls, if: steps.first.exitCode == steps.survey.exitCode }`;

test('steps inside an each can read earlier steps, inside and outside it', () => {
  assert.deepEqual(stepIssues(loop), []);
});

test('a step inside an each can’t be read from outside, and the hint names the each', () => {
  const issue = onlyIssue(`${loop}\n  - { run: ls, if: steps.first.exitCode == 0 }`);
  assert.deepEqual([issue.code, issue.hint], ['hidden-reference', '`steps.loop` has the counts']);
  assert.deepEqual(stepIssues(`${loop}\n  - { run: ls, if: steps.loop.failed > 0 }`), []);
});

test('the item of an each can be read only inside it', () => {
  assert.equal(onlyIssue(`${loop}\n  - { run: [echo, "\${{ item }}"] }`).code, 'unknown-reference');
});

test('an each can’t read its own outputs inside itself', () => {
  assert.equal(onlyIssue(loop.replace('steps.survey.exitCode', 'steps.loop.count')).code, 'forward-reference');
});

test('only outputs of the kind of step can be read', () => {
  const issue = onlyIssue(`${survey}  - { run: ls, if: steps.survey.stdot == '' }`);
  assert.deepEqual([issue.code, issue.hint], ['unknown-reference', 'did you mean `stdout`?']);
  assert.match(onlyIssue(`${survey}  - { run: ls, if: steps.survey.value == '' }`).hint ?? '', /parse: json/);
  assert.equal(onlyIssue(`${survey}  - { run: ls, if: steps.survey.constructor == '' }`).code, 'unknown-reference');
});

test('only members that its schema names can be read from an answer', () => {
  const ask =
    '  - { id: ask, prompt: { text: x, answer: { type: object, properties: { line: { type: string } } } } }\n';
  assert.deepEqual(stepIssues(`${ask}  - { run: [echo, "\${{ steps.ask.value.line }}"] }`), []);
  assert.equal(onlyIssue(`${ask}  - { run: [echo, "\${{ steps.ask.value.lien }}"] }`).hint, 'did you mean `line`?');
});

test('names below inputs and the other roots are checked', () => {
  const issue = onlyIssue('  - { run: [ls, "${{ inputs.sorce }}"] }', '{ source: { type: string } }');
  assert.deepEqual([issue.code, issue.hint], ['unknown-reference', 'did you mean `source`?']);
  assert.deepEqual(
    stepIssues(
      '  - { run: [ls, "${{ run.id }} ${{ run.requester }} ${{ repository.branch }} ${{ blueprint.path }}"] }',
    ),
    [],
  );
  assert.equal(onlyIssue('  - { run: [ls, "${{ repository.brnch }}"] }').hint, 'did you mean `branch`?');
  for (const name of ['secrets.TOKEN', 'env.HOME', 'process', 'string', 'steps', 'cel'])
    assert.equal(onlyIssue(`  - { run: [ls, "\${{ ${name} }}"] }`).code, 'unknown-reference', name);
});

test('types are checked if they are known', () => {
  const wrong = [
    "steps.survey.exitCode == 'x'",
    "inputs.n + 'a' == 'b'",
    'steps.survey.stdout',
    'size(steps.survey.exitCode) == 1',
    'steps.survey.stdout.foo == 1',
    'inputs.list == 1',
    "'a'",
  ];
  for (const expression of wrong) {
    assert.equal(
      onlyIssue(
        `${survey}  - run: ls\n    if: ${JSON.stringify(expression)}`,
        '{ n: { type: integer }, list: { type: list } }',
      ).code,
      'expression-type',
      expression,
    );
  }
  const right = [
    'steps.survey.exitCode == 0 && inputs.n > 1.5',
    "inputs.list.exists(x, x.startsWith('a'))",
    "size(inputs.list) > 0 || steps.survey.outcome == 'failed'",
    'true',
  ];
  for (const expression of right) {
    assert.deepEqual(
      stepIssues(
        `${survey}  - run: ls\n    if: ${JSON.stringify(expression)}`,
        '{ n: { type: integer }, list: { type: list } }',
      ),
      [],
      expression,
    );
  }
});

function each(list: string): string {
  return `${survey}  - { each: "${list}", as: x, do: [ run: ls ] }`;
}

test('each needs exactly one expression that can be a list', () => {
  assert.deepEqual(stepIssues(each("${{ steps.survey.stdout.split(',') }}")), []);
  for (const list of [
    '${{ steps.survey.stdout }}',
    '${{ steps.survey.exitCode }}',
    'a b',
    'x ${{ [1] }}',
    '${{ [1] }}${{ [2] }}',
  ])
    assert.equal(onlyIssue(each(list)).code, 'expression-type', list);
});

test('a syntax error is shown at its place inside a quoted text and inside a block', () => {
  assert.equal(summary(onlyIssue('  - { run: [ls, "a ${{ 1 + }} b"] }')), '5:28 expression-invalid steps[0].run[1]');
  assert.equal(
    summary(onlyIssue('  - agent:\n      task: |\n        first\n        second ${{ 1 ++ 2 }}')),
    '8:23 expression-invalid steps[0].agent.task',
  );
  assert.equal(summary(onlyIssue('  - run: ls\n    if: steps.')), '6:15 expression-invalid steps[0].if');
  assert.equal(summary(onlyIssue('  - { run: [ls, "${{ oops"] }')), '5:18 expression-invalid steps[0].run[1]');
});

test('the second of two equal mistakes is shown at its own place', () => {
  assert.deepEqual(stepIssues('  - run: [ls, "${{ a }} ${{ a }}"]').map(summary), [
    '5:20 unknown-reference steps[0].run[1]',
    '5:29 unknown-reference steps[0].run[1]',
  ]);
});

test('a template is refused in every place that holds a shell script', () => {
  const places = [
    'run: echo ${{ inputs.x }}',
    'check: [ "echo ${{ inputs.x }}" ]',
    'agent: { task: x }\n    verify: [ "echo ${{ inputs.x }}" ]',
  ];
  for (const place of places) {
    const issue = onlyIssue(`  - ${place}`, '{ x: { type: string } }');
    assert.deepEqual(
      [issue.code, issue.hint],
      ['template-in-shell', 'pass the value through `env:`, or write the command as a list of words'],
      place,
    );
  }
  assert.equal(
    onlyIssue('  - change: { title: x }\n  - ci: { autofix: [ "echo ${{ run.id }}" ] }').code,
    'template-in-shell',
  );
  assert.deepEqual(
    stepIssues('  - { run: [echo, "${{ inputs.x }}"], env: { X: "${{ inputs.x }}" } }', '{ x: { type: string } }'),
    [],
  );
});

test('a template is refused in a place where nothing is evaluated', () => {
  for (const step of [
    '{ run: ls, title: "${{ run.id }}" }',
    '{ change: { title: x, labels: [ "${{ run.id }}" ] } }',
    '{ agent: { task: x, model: "${{ run.id }}" } }',
  ]) {
    assert.match(
      stepIssues(`  - ${step}`)
        .map(({ code }) => code)
        .join(),
      /template-not-here/,
      step,
    );
  }
  assert.equal(onlyIssue('  - run: ls', '{ x: { type: string, default: "${{ run.id }}" } }').code, 'template-not-here');
});
