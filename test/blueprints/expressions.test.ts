import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { parseExpression } from '../../blueprints/cel-parse.ts';
import {
  evaluateCondition,
  evaluateExpression,
  ExpressionFailed,
  findReferences,
  renderTemplate,
  renderText,
} from '../../blueprints/expressions.ts';
import type { Json } from '../../base/json.ts';

const scope = {
  inputs: { n: 2, ratio: 2, name: 'src', flag: true, list: ['x', 'y'], hostile: '${{ inputs.name }}' },
  steps: {
    survey: {
      outcome: 'succeeded',
      stdout: 'a\nb',
      exitCode: 0,
      value: [
        { path: 'p.py', line: 3 },
        { path: 'q.py', line: 1.5 },
      ],
    },
    later: { outcome: 'skipped' },
  },
};

/** The language's own cases: what CEL means here, whatever library reads it. */
const cases: [string, Json][] = [
  ['1 + 2 * 3', 7],
  ['7 / 2', 3],
  ['7 % 4', 3],
  ['7.0 / 2.0', 3.5],
  ['-inputs.n', -2],
  ['inputs.n + 1', 3],
  ['1 + 1.5', 2.5],
  ["'a' + 'b'", 'ab'],
  ['[1] + [2]', [1, 2]],
  ['1 == 1.0', true],
  ["1 == '1'", false],
  ['[1, 2] == [1, 2]', true],
  ["{'a': 1} == {'a': 1}", true],
  ['null == null', true],
  ['1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3', true],
  ["'a' < 'b'", true],
  ['!true', false],
  ['true ? 1 : 2', 1],
  ['1 < 2.5', true],
  ["'x' in inputs.list", true],
  ["'n' in inputs", true],
  ["'z' in inputs", false],
  ['false && inputs.none', false],
  ['true || inputs.none', true],
  ["steps.survey.stdout == ''", false],
  ['steps.survey.value[0].path', 'p.py'],
  ["steps['survey'].exitCode", 0],
  ['steps.survey.value[1].line', 1.5],
  ['size(inputs.list)', 2],
  ["'añ😀'.size()", 3],
  ['inputs.list.map(x, x + x)', ['xx', 'yy']],
  ["inputs.list.map(x, x == 'x', x + '!')", ['x!']],
  ["inputs.list.filter(x, x != 'x')", ['y']],
  ["inputs.list.exists(x, x == 'y')", true],
  ["inputs.list.all(x, x == 'y')", false],
  ["inputs.list.exists_one(x, x == 'y')", true],
  ['{"b": 1, "a": 2}.map(k, k)', ['b', 'a']],
  ['has(steps.survey.value)', true],
  ['has(steps.later.stdout)', false],
  ["steps.survey.stdout.split('\\n').join(', ')", 'a, b'],
  ["' a '.trim()", 'a'],
  ["'aÉ'.upperAscii() + 'AÉ'.lowerAscii()", 'AÉaÉ'],
  ["'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')", true],
  ["'abcb'.indexOf('b') + 'abcb'.lastIndexOf('b')", 4],
  ["'abc'.substring(1) + 'abc'.substring(0, 1)", 'bca'],
  ["'😀ab'.substring(1) + '😀ab'.substring(0, 1)", 'ab😀'],
  ["['😀ab'.indexOf('a'), '😀aa'.lastIndexOf('a'), 'a'.indexOf('x')]", [1, 2, -1]],
  ["'😀a'.split('')", ['😀', 'a']],
  ["int('42') + int(1.9)", 43],
  ["double('1.5')", 1.5],
  ['string(7) + string(true)', '7true'],
  ["bool('true')", true],
  ["[1, 'a', null, 2.5, {'k': [true]}]", [1, 'a', null, 2.5, { k: [true] }]],
  [
    'steps.survey.value.map(p, inputs.list.map(q, p.path + q))',
    [
      ['p.pyx', 'p.pyy'],
      ['q.pyx', 'q.pyy'],
    ],
  ],
];

for (const [source, expected] of cases)
  test(`${source} is ${JSON.stringify(expected)}`, () => assert.deepEqual(evaluateExpression(source, scope), expected));

const failures: [string, ExpressionFailed['code']][] = [
  ['1 +', 'expression-invalid'],
  ['', 'expression-invalid'],
  ['a b', 'expression-invalid'],
  ["'open", 'expression-invalid'],
  ["b'bytes'", 'expression-invalid'],
  ['1u', 'expression-invalid'],
  ["'a'.matches('(a+)+$')", 'expression-invalid'],
  ["timestamp('2020-01-01T00:00:00Z').getDayOfYear()", 'expression-invalid'],
  ["duration('1s')", 'expression-invalid'],
  ['type(1)', 'expression-invalid'],
  ['cel.bind(x, 1, x)', 'expression-invalid'],
  ['optional.none()', 'expression-invalid'],
  ['constructor()', 'expression-invalid'],
  ['size(1, 2)', 'expression-invalid'],
  ['[1].map(1, 2)', 'expression-invalid'],
  ['unknown', 'expression-failed'],
  ['string', 'expression-failed'],
  ['inputs.none', 'expression-failed'],
  ['inputs.constructor', 'expression-failed'],
  ['inputs.__proto__', 'expression-failed'],
  ["steps['toString']", 'expression-failed'],
  ['inputs.name.length', 'expression-failed'],
  ['inputs.list[2]', 'expression-failed'],
  ['inputs.list[-1]', 'expression-failed'],
  ['inputs.list.length', 'expression-failed'],
  ['1 / 0', 'expression-failed'],
  ['1 % 0', 'expression-failed'],
  ['1.0 / 0.0', 'expression-failed'],
  ['9223372036854775807 + 1', 'expression-failed'],
  ['9007199254740993', 'expression-failed'],
  ["1 + 'a'", 'expression-failed'],
  ["1 < 'a'", 'expression-failed'],
  ['!1', 'expression-failed'],
  ["'a' && true", 'expression-failed'],
  ["int('x')", 'expression-failed'],
  ["'abc'.substring(9)", 'expression-failed'],
  ["'abc'.substring(2, 1)", 'expression-failed'],
  ['{1.5: 2}', 'expression-failed'],
  ["{'a': 1, 'a': 2}", 'expression-failed'],
  ["{1: 2, '1': 3}", 'expression-failed'],
  ['9223372036854775808', 'expression-invalid'],
  ['int(9223372036854775808.0)', 'expression-failed'],
  ['inputs.n.map(x, x)', 'expression-failed'],
  ['[1].join()', 'expression-failed'],
];

for (const [source, code] of failures) {
  test(`${source || 'an empty expression'} fails as ${code}`, () => {
    assert.throws(
      () => evaluateExpression(source, scope),
      (error) => error instanceof ExpressionFailed && error.code === code && error.message.length > 0,
    );
  });
}

test('a failure gives its place in the expression', () => {
  assert.throws(
    () => evaluateExpression('inputs.n + inputs.none', scope),
    (error) => error instanceof ExpressionFailed && error.offset > 10,
  );
  assert.throws(
    () => evaluateExpression('1 + 1 / 0', scope),
    (error) => error instanceof ExpressionFailed && error.offset === 4 && error.length === 5,
  );
});

test('no expression takes long or exceeds the size limits', () => {
  const list = { inputs: { list: Array.from({ length: 1000 }, (_, index) => index), text: 'a'.repeat(16_000) } };
  const hostile = [
    `['aaaaaaaaaaaaaaaaaaaa']${'.map(x, x + x + x + x + x + x + x + x)'.repeat(8)}`,
    `[1]${'.map(x, [x, x, x, x, x, x, x, x])'.repeat(10)}`,
    `[1]${'.map(x, [x, x, x, x, x, x, x, x])'.repeat(10)} == [1]${'.map(x, [x, x, x, x, x, x, x, x])'.repeat(10)}`,
    'inputs.list.exists(a, inputs.list.exists(b, inputs.list.exists(c, a + b + c < 0)))',
    'inputs.list.exists(a, inputs.list.exists(b, inputs.list.exists(c, [][0] == 1 || a + b + c < 0)))',
    'inputs.list.map(a, inputs.text).join()',
    'inputs.list.map(a, inputs.list)',
    "inputs.list.filter(a, inputs.text.contains('ab'))",
    `${'!'.repeat(4000)}true`,
    '('.repeat(2000),
    '['.repeat(2000),
    `1${' + 1'.repeat(1000)}`,
    'a'.repeat(5000),
    '-'.repeat(4095) + '1',
    'a.'.repeat(2000),
  ];
  for (const source of hostile) {
    const before = process.cpuUsage();
    assert.throws(() => evaluateExpression(source, list), ExpressionFailed, source.slice(0, 60));
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / 1000 < 1000, source.slice(0, 60));
  }
});

test('reading an output that was cut fails, in whatever way it is read', () => {
  const cut = new Set(['steps.survey.stdout', 'steps.survey.value']);
  for (const source of [
    'steps.survey.stdout',
    'steps.survey',
    'steps',
    "steps['survey']['stdout']",
    "steps['sur' + 'vey'].stdout",
    'steps.survey.value[0].path',
    '[steps.survey].map(s, s.stdout)',
    'size(steps.survey.stdout)',
    "'stdout' in steps.survey",
  ]) {
    assert.throws(
      () => evaluateExpression(source, scope, { cut }),
      (error) => error instanceof ExpressionFailed && error.code === 'output-was-cut',
      source,
    );
  }
  assert.equal(evaluateExpression('steps.survey.exitCode', scope, { cut }), 0);
  assert.equal(evaluateExpression('has(steps.survey.stdout)', scope, { cut }), true);
});

test('a condition must be a bool', () => {
  assert.equal(evaluateCondition('inputs.n == 2', scope), true);
  assert.equal(evaluateCondition(false, scope), false);
  for (const source of ['1', "'true'", 'null', '[]', "''"])
    assert.throws(() => evaluateCondition(source, scope), ExpressionFailed);
});

test('a template that is exactly one expression gives its value, and any other gives text', () => {
  assert.deepEqual(renderTemplate('${{ inputs.list }}', scope), ['x', 'y']);
  assert.equal(renderTemplate('${{ inputs.n }}', scope), 2);
  assert.equal(renderTemplate('${{inputs.n}}${{inputs.n}}', scope), '22');
  assert.equal(renderTemplate(' ${{ inputs.list }}', scope), ' ["x","y"]');
  assert.deepEqual(renderTemplate("${{ {'a': {'b': '}}'}} }}", scope), { a: { b: '}}' } });
  assert.equal(renderTemplate("<${{ '}}' }}>", scope), '<}}>');
  assert.equal(renderTemplate('$ {{ x }} {{ x }} }}', scope), '$ {{ x }} {{ x }} }}');
  assert.equal(renderText('${{ inputs.n }}', scope), '2');
  assert.equal(renderText('${{ inputs.flag }} ${{ steps.survey.value[0] }}', scope), 'true {"path":"p.py","line":3}');
  for (const open of ['${{ 1', '${{ 1 }', "${{ '}}", '${{'])
    assert.throws(() => renderTemplate(open, scope), ExpressionFailed);
});

test('a value that holds a template is literal text, never evaluated again', () => {
  assert.equal(renderTemplate('${{ inputs.hostile }}', scope), '${{ inputs.name }}');
  assert.equal(
    renderText('title: ${{ inputs.hostile }} ${{ inputs.hostile }}', scope),
    'title: ${{ inputs.name }} ${{ inputs.name }}',
  );
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('$', '{', '}', ' ', 'inputs.name', "'", '"', '\\', '1') }),
      (value) => {
        assert.equal(renderTemplate('${{ inputs.value }}', { inputs: { value, name: 'secret' } }), value);
        assert.equal(
          renderText('<${{ inputs.value }}|${{ inputs.value }}>', { inputs: { value, name: 'secret' } }),
          `<${value}|${value}>`,
        );
      },
    ),
  );
});

test('a word of a command stays one word, whatever value it contains', () => {
  for (const word of ['"; rm -rf / #', '$(id)', '--upload-pack=x', 'a\nb', "'", '`id`', '']) {
    const command = ['git', 'clone', '${{ inputs.word }}', 'to-${{ inputs.word }}'];
    assert.deepEqual(
      command.map((part) => renderText(part, { inputs: { word } })),
      ['git', 'clone', word, `to-${word}`],
    );
  }
});

test('JSON values pass through an expression unchanged', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      const plain: Json = JSON.parse(JSON.stringify(value));
      assert.deepEqual(evaluateExpression('inputs.value', { inputs: { value: plain } }), plain);
    }),
  );
});

test('evaluation fails only with an ExpressionFailed', () => {
  const token = fc.constantFrom(
    'inputs',
    '.',
    'list',
    'n',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '+',
    '-',
    '*',
    '/',
    '%',
    '==',
    '<',
    '&&',
    '||',
    '!',
    '?',
    ':',
    ',',
    '1',
    '2.5',
    "'a'",
    'map',
    'x',
    'size',
    'has',
    'in',
    'true',
    ' ',
    'steps',
    'exists',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 20 }), (tokens) => {
      try {
        JSON.stringify(evaluateExpression(tokens.join(''), scope));
      } catch (error) {
        assert.ok(error instanceof ExpressionFailed, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

function paths(source: string): string[] {
  return findReferences(parseExpression(source)).map(({ path }) => path.join('.'));
}

test('references are chains that begin with a root, without the variables of macros', () => {
  assert.deepEqual(
    paths("steps.survey.value.filter(p, p.path == inputs.name && has(run.id))[0].line + steps['a b'].x[1]"),
    ['steps.survey.value', 'inputs.name', 'run.id', 'steps.a b.x'],
  );
  assert.deepEqual(paths('inputs.list.map(x, inputs.list.map(y, x + y + z))'), ['inputs.list', 'inputs.list', 'z']);
  assert.deepEqual(findReferences(parseExpression('1 + steps.a.stdout')), [
    { path: ['steps', 'a', 'stdout'], offset: 4, length: 14 },
  ]);
});
