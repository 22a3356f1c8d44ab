import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { checkBlueprint } from '../../blueprints/check.ts';

const warned = (steps: string): string[] => {
  const { blueprint, issues, warnings } = checkBlueprint(`blueprint: v1\nname: a\nsteps:\n${steps}`, {
    file: 'a.yaml',
  });
  assert.deepEqual(issues, []);
  assert.ok(blueprint, 'a warning stops nothing');
  assert.ok(warnings.every(({ level }) => level === 'warning'));
  return warnings.map(({ code, line, path }) => `${code} ${line} ${path}`);
};
const change = '  - change: { title: T }\n';
const agent = '  - agent: { task: T }\n';

const blueprints: [rule: string, steps: string, warnings: string[]][] = [
  ['a change without a check', change, ['change-unchecked 4 steps[0].change']],
  ['a change after a check', `  - check: [ make ]\n${change}`, []],
  [
    'a change after a baseline alone',
    `  - check: [ make ]\n    gate: baseline\n${change}`,
    ['change-unchecked 6 steps[1].change'],
  ],
  ['a change after what must turn green', `  - check: [ make ]\n    gate: turn-green\n${change}`, []],
  ['a change before its check', `${change}  - check: [ make ]\n`, ['change-unchecked 4 steps[0].change']],
  ['an agent with `verify`', `  - agent: { task: T }\n    verify: [ make ]\n${change}`, []],
  [
    'an agent without a check',
    `${agent}${change}`,
    ['agent-unchecked 4 steps[0].agent', 'change-unchecked 5 steps[1].change'],
  ],
  ['an agent before a check', `${agent}  - check: [ make ]\n${change}`, []],
  ['an agent after the only check', `  - check: [ make ]\n${agent}${change}`, ['agent-unchecked 5 steps[1].agent']],
  [
    'a check inside a block',
    `  - each: [ a ]\n    as: one\n    do:\n      - check: [ make ]\n${change}`.replace('[ a ]', '${{ ["a"] }}'),
    [],
  ],
  ['no change', '  - run: ls\n', []],
];
describe('jig check warns of work that no check decides on', () => {
  for (const [rule, steps, expected] of blueprints) test(rule, () => assert.deepEqual(warned(steps), expected));
});

test('`fails-with` is refused where nothing has to fail', () => {
  const { issues } = checkBlueprint('blueprint: v1\nname: a\nsteps:\n  - check: [ make ]\n    fails-with: x\n', {
    file: 'a',
  });
  assert.deepEqual(
    issues.map(({ code }) => code),
    ['key-without-effect'],
  );
});
