import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Blueprint } from '../../blueprints/schema.ts';
import { findDoubles } from '../../blueprints/outputs.ts';
import { allSteps, childrenOf, stepPath, withChildren, withIds } from '../../blueprints/steps.ts';

const blueprint: Blueprint = {
  blueprint: 'v1',
  name: 'test',
  steps: [
    { run: 'ls' },
    { run: 'ls' },
    { id: 'run_3', check: ['ls'] },
    { each: '${{ [1] }}', as: 'item', do: [{ run: 'ls' }, { id: 'each_2', run: 'ls' }] },
    { each: '${{ [1] }}', as: 'item', do: [{ run: 'ls' }] },
  ],
};

test('steps without an id get the next free name of their kind, in the order of the text', () => {
  assert.deepEqual(
    allSteps(withIds(blueprint).steps).map(({ id }) => id),
    ['run', 'run_2', 'run_3', 'each', 'run_4', 'each_2', 'each_3', 'run_5'],
  );
});

test('naming steps again changes nothing, and the given blueprint is not changed', () => {
  const named = withIds(blueprint);
  assert.deepEqual(withIds(named), named);
  assert.equal(blueprint.steps[0]?.id, undefined);
});

test('the steps in a step are found and replaced without knowing its kind', () => {
  const [plain, , , block] = withIds(blueprint).steps;
  assert.ok(plain && block);
  assert.deepEqual(childrenOf(plain), []);
  assert.deepEqual(
    childrenOf(block).map(({ id }) => id),
    ['run_4', 'each_2'],
  );
  assert.deepEqual(withChildren(plain, [{ run: 'make' }]), plain);
  assert.deepEqual(withChildren(block, [{ run: 'make' }]), { ...block, do: [{ run: 'make' }] });
});

test('inputs of type number and costs are doubles', () => {
  const steps: Blueprint['steps'] = [{ agent: { task: 'x' } }, { run: 'ls' }];
  assert.deepEqual(
    findDoubles(withIds({ ...blueprint, inputs: { n: { type: 'integer' }, ratio: { type: 'number' } }, steps })),
    new Map([
      ['inputs', new Map([['ratio', true]])],
      [
        'steps',
        new Map<string, unknown>([
          ['agent', new Map([['costUsd', true]])],
          ['run', new Map()],
        ]),
      ],
    ]),
  );
});

test('the path of a step in an each names the item', () => {
  assert.equal(stepPath(undefined, 'fix'), 'fix');
  assert.equal(
    stepPath({ path: stepPath({ path: 'outer', index: 0 }, 'rewrite'), index: 3 }, 'ask'),
    'outer[0].rewrite[3].ask',
  );
});
