import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { checkInputs } from '../../blueprints/inputs.ts';
import type { Input } from '../../blueprints/schema.ts';

const inputs: Record<string, Input> = {
  source: { type: 'string', default: 'src' },
  count: { type: 'integer', default: 3 },
  ratio: { type: 'number', default: 0.5 },
  dry: { type: 'boolean', default: false },
  paths: { type: 'list', default: [] },
  level: { type: 'string', enum: ['low', 'high'], default: 'low' },
};

test('an input that is not given has its default', () => {
  assert.deepEqual(checkInputs({ inputs }, {}), {
    values: { source: 'src', count: 3, ratio: 0.5, dry: false, paths: [], level: 'low' },
    issues: [],
  });
  assert.deepEqual(checkInputs({}, {}), { values: {}, issues: [] });
});

test('text is read by the declared type', () => {
  const { values, issues } = checkInputs(
    { inputs },
    { source: '3', count: '-7', ratio: '1.5', dry: 'true', paths: 'a, b', level: 'high' },
  );
  assert.deepEqual(
    [values, issues],
    [{ source: '3', count: -7, ratio: 1.5, dry: true, paths: ['a', 'b'], level: 'high' }, []],
  );
  assert.deepEqual(checkInputs({ inputs }, { paths: ['a,b', 'c'] }).values.paths, ['a,b', 'c']);
  assert.deepEqual(checkInputs({ inputs }, { paths: '' }).values.paths, []);
});

test('a value that does not fit its type or enum is refused, with the name of the input', () => {
  const wrong: Record<string, unknown[]> = {
    source: [3, null, ['a'], {}, 'x'.repeat(70_000)],
    count: ['1.5', 'x', '', 1.5, '1e999', '0x10', Number.NaN, true],
    ratio: ['NaN', 'Infinity', '', '1e999', Number.POSITIVE_INFINITY],
    dry: ['yes', '1', 1, ''],
    paths: [3, [3], { length: 1 }],
    level: ['middle', ''],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const { issues } = checkInputs({ inputs }, { [name]: value });
      assert.deepEqual(
        issues.map(({ code }) => code),
        ['invalid-input'],
        `${name}: ${String(value).slice(0, 20)}`,
      );
      assert.match(issues[0]?.message ?? '', new RegExp(`\`${name}\` must`));
    }
  }
});

test('an unknown input is refused with a suggestion, a missing one with its description', () => {
  assert.deepEqual(checkInputs({ inputs }, { sourse: 'x' }).issues, [
    { code: 'unknown-input', message: 'there is no input `sourse`', hint: 'did you mean `source`?' },
  ]);
  assert.deepEqual(checkInputs({ inputs: { who: { type: 'string', description: 'Whom to ask' } } }, {}).issues, [
    { code: 'missing-input', message: 'the input `who` is missing', hint: 'Whom to ask' },
  ]);
});

test('names of Object.prototype are like any other name', () => {
  assert.equal(checkInputs({ inputs }, JSON.parse('{"__proto__": "x"}')).issues[0]?.code, 'unknown-input');
  const odd: Record<string, Input> = Object.fromEntries([['constructor', { type: 'string' }]]);
  assert.equal(checkInputs({ inputs: odd }, {}).issues[0]?.code, 'missing-input');
  assert.deepEqual(Object.entries(checkInputs({ inputs: odd }, { constructor: 'x' }).values), [['constructor', 'x']]);
});

test('checking values again does not change them', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string()), (source, count, dry, paths) => {
      const { values, issues } = checkInputs({ inputs }, { source, count: String(count), dry: String(dry), paths });
      assert.deepEqual(issues, []);
      assert.deepEqual(checkInputs({ inputs }, values), { values, issues });
      assert.equal(values.source, source);
    }),
  );
});
