import assert from 'node:assert/strict';
import { test } from 'vitest';
import { doublesOfItems, evaluateExpression, type Variables } from '../../blueprints/expressions.ts';

const scope: Variables = {
  inputs: { n: 2 },
  steps: { survey: { outcome: 'succeeded', stdout: 'a' }, later: { outcome: 'skipped' } },
};

test('reading more than the outcome of a skipped step says that it was skipped', () => {
  assert.equal(evaluateExpression('steps.later.outcome', scope), 'skipped');
  assert.throws(() => evaluateExpression('steps.later.stdout', scope), /`steps.later` was skipped/);
});

test('a whole number in a place that holds doubles is a double', () => {
  assert.equal(evaluateExpression('inputs.n / inputs.ratio', { inputs: { n: 3, ratio: 2 } }), 1);
  assert.equal(
    evaluateExpression(
      'inputs.n / inputs.ratio',
      { inputs: { n: 3, ratio: 2 } },
      {
        doubles: new Map([
          [
            'inputs',
            new Map([
              ['n', true],
              ['ratio', true],
            ]),
          ],
        ]),
      },
    ),
    1.5,
  );
});

test('the numbers of an answer are doubles where its schema says number', () => {
  const doubles = new Map([['ask', new Map([['list', new Map([['*', new Map([['score', true as const]])]])]])]]);
  const ask = { ask: { list: [{ score: 3, rank: 3 }], n: 3 } };
  assert.equal(evaluateExpression('ask.list[0].score / 2', ask, { doubles }), 1.5);
  assert.deepEqual(evaluateExpression('ask.list.map(x, x.score / 2)', ask, { doubles }), [1.5]);
  assert.deepEqual(evaluateExpression('ask.list.map(x, x.rank / 2)', ask, { doubles }), [1]);
  const items = doublesOfItems('${{ ask.list }}', doubles);
  assert.deepEqual(items, new Map([['score', true]]));
  for (const source of ['${{ ask.list.filter(x, true) }}', 'x${{ ask.list }}', '${{ ask }}'])
    assert.equal(doublesOfItems(source, doubles), undefined, source);
});

test('keys of a map are texts, whole numbers and bools, which JSON holds as texts', () => {
  assert.equal(evaluateExpression("{1: 'a'}[1]", scope), 'a');
  assert.deepEqual(evaluateExpression("{1: 'a', true: 'b'}", scope), { 1: 'a', true: 'b' });
  assert.equal(evaluateExpression("'1' in {1: 'a'}", scope), false);
});

test('an error in a condition counts only if the other side does not decide; a limit always counts', () => {
  assert.equal(evaluateExpression('1 / 0 == 1 || true', scope), true);
  assert.equal(evaluateExpression('[1, 2].exists(x, 1 / (x - 1) == 1)', scope), true);
  assert.throws(() => evaluateExpression('1 / 0 == 1 || false', scope), /division by zero/);
  const cut = new Set(['steps.survey.stdout']);
  assert.throws(() => evaluateExpression("steps.survey.stdout == '' || true", scope, { cut }), {
    code: 'output-was-cut',
  });
});
