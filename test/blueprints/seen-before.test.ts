/** What would fail in every run, for a reason that the text shows, is refused before one. */
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { issuesOf, onlyIssue, stepIssues } from './support.ts';

const lines = '  - { id: list, run: ls, parse: lines }\n';
const inputs = '{ n: { type: integer }, all: { type: list } }';

describe('a part of an expression that reads nothing and fails', () => {
  test.each([
    ['1 / 0'],
    ['inputs.n / 0'],
    ['inputs.n % 0'],
    ['[1, 2][5] + inputs.n'],
    ["{'a': 1}['b']"],
    ["{'a': 1, 'a': inputs.n}['a'] + {'b': 1, 'b': 2}['b']"],
    ['inputs.n > 0 ? 1 / 0 : 2'],
    ['inputs.all.map(x, 1 / 0)'],
    ["inputs.all.map(x, x + 'a'.substring(2, 1))"],
    ["int('x')"],
    ['9007199254740993'],
  ])('%s is refused', (source) => {
    assert.equal(onlyIssue(`  - { run: [ ls, "\${{ ${source} }}" ] }`, inputs).code, 'expression-failed');
  });

  test.each([
    ["{1: 'a'}[1]"],
    ['9007199254740993 > inputs.n'],
    ['true || 1 / 0 == 1'],
    ['inputs.all.map(x, [x][0])'],
    ['steps.list.value[0]'],
    ['[inputs.n][1]'],
  ])('%s is not, since it can be right', (source) => {
    assert.deepEqual(stepIssues(`${lines}  - { run: [ ls, "\${{ ${source} }}" ] }`, inputs), []);
  });
});

describe('a value that no run could use', () => {
  test.each([
    ['edit: { path: a.txt, old: one, new: two, line: 0 }', 'edit.line'],
    ['edit: { path: a.txt, old: one, new: two, line: "0" }', 'edit.line'],
    ['edit: { path: a.txt, old: one, new: two, line: first }', 'edit.line'],
    ['edit: { path: /etc/passwd, old: one, new: two }', 'edit.path'],
    ['edit: { path: a/../../b, old: one, new: two }', 'edit.path'],
    ["edit: { path: '', old: one, new: two }", 'edit.path'],
    ["edit: { path: a, old: '', new: two }", 'edit.old'],
    ['edit: { path: a, old: one, new: one }', 'edit.new'],
    ["run: [ '', a ]", 'run'],
    ['check: [ [ "" ] ]', 'check[0]'],
    ["change: { title: ' ' }", 'change.title'],
    ['change: { title: T, branch: a..b }', 'change.branch'],
    ['change: { title: T, branch: -x }', 'change.branch'],
    ["change: { title: T, labels: [ '' ] }", 'change.labels[0]'],
    ["agent: { task: '' }", 'agent.task'],
    ["agent: { task: T, model: '' }", 'agent.model'],
    ["prompt: { text: '', answer: {} }", 'prompt.text'],
    ["approve: { who: [ '' ] }", 'approve.who[0]'],
  ])('%s is refused', (step, path) => {
    const { code, path: at } = onlyIssue(`  - { ${step} }`);
    assert.deepEqual([code, at], ['wrong-value', `steps[0].${path}`]);
  });

  test.each([
    ['edit: { path: "${{ steps.list.value[0] }}", old: "${{ run.id }}", new: "${{ run.id }}", line: "${{ 1 }}" }'],
    ['edit: { path: a..b/c, old: " ", new: "", line: "12" }'],
    ['change: { title: "${{ run.id }}", branch: "jig/${{ run.id }}" }'],
    ['change: { title: T, branch: feature/a.b-c_d }'],
  ])('%s can be right', (step) => {
    assert.deepEqual(stepIssues(`${lines}  - { ${step} }`), []);
  });

  test('a NUL character is refused wherever it is written', () => {
    for (const step of ['run: "a\\0b"', 'run: [ "a\\0" ]', 'edit: { path: a, old: "\\0", new: b }'])
      assert.equal(onlyIssue(`  - { ${step} }`).code, 'blueprint-not-text', step);
  });
});

test('a host that can never be reached is refused', () => {
  const egress = (host: string) =>
    issuesOf(`blueprint: v1\nname: x\nsandbox: { egress: [ "${host}" ] }\nsteps: [ run: ls ]`);
  for (const host of [
    '10.0.0.1',
    '0x7f.1',
    '2130706433',
    'a..b',
    'a.-b.c',
    'a-.b',
    'pipy',
    'localhost',
    `${'a'.repeat(64)}.com`,
  ])
    assert.deepEqual(egress(host), ['3:22 wrong-value sandbox.egress[0]'], host);
  for (const host of ['pypi', 'api.example.com', '*.example.com', '*.com', 'a-b.c1', '1password.com'])
    assert.deepEqual(egress(host), [], host);
});

test('a budget of no tokens or no turns allows no step that asks a model', () => {
  const issues = (budget: string, step: string) =>
    issuesOf(`blueprint: v1\nname: x\nbudget: { ${budget}: 0 }\nsteps:\n  - ${step}\n`);
  for (const budget of ['tokens', 'turns']) {
    assert.deepEqual(issues(budget, 'run: ls'), []);
    assert.deepEqual(issues(budget, 'agent: { task: T }'), ['5:5 wrong-value steps[0].agent']);
    assert.deepEqual(issues(budget, 'each: "${{ [1] }}"\n    as: x\n    do: [ prompt: { text: T, answer: {} } ]'), [
      '7:11 wrong-value steps[0].do[0].prompt',
    ]);
  }
});

test('the evidence can be read only where it is there', () => {
  assert.deepEqual(stepIssues('  - change: { title: T, body: "${{ evidence.summary }}" }'), []);
  for (const step of [
    'end: { outcome: failed, reason: "${{ evidence.summary }}" }',
    'change: { title: "${{ evidence.summary }}" }',
    'run: [ echo, "${{ evidence }}" ]',
  ])
    assert.equal(onlyIssue(`  - ${step}`).code, 'unknown-reference', step);
});

test('a text that YAML reads as something else is told to be put in quotes', () => {
  assert.match(onlyIssue('  - change: { title: Rename a, b and c }').hint ?? '', /text with a comma/);
  assert.match(onlyIssue('  - run: [ echo, a: b ]').hint ?? '', /a colon and a space make a key/);
  assert.match(onlyIssue('  - run: test -f a ? 0 : 1').hint ?? '', /holds `: `/);
  assert.match(onlyIssue('  - end: { outcome: failed, reason: it works: now }').hint ?? '', /holds `: `/);
  assert.equal(onlyIssue('  - run: true').hint, 'put quotes around it: "true"');
  assert.equal(onlyIssue('  - run: [ echo, 1 ]').hint, 'put quotes around it: "1"');
});
