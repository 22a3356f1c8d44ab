import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import * as fc from 'fast-check';
import { findAnswerProblem, findSchemaProblem } from '../../blueprints/answer-schema.ts';
import type { Json, JsonMap } from '../../base/json.ts';
import { onlyIssue, stepIssues } from './support.ts';

describe('a schema that no answer could be held to is refused, at its place', () => {
  test.each<[title: string, schema: JsonMap, path: string]>([
    ['an unknown type', { type: 'object', properties: { a: { type: 'strng' } } }, 'properties.a.type'],
    ['an unknown keyword', { type: 'string', minLenght: 3 }, ''],
    ['an unknown format', { type: 'string', format: 'dat' }, ''],
    ['members without a type', { properties: { a: { enum: ['x'] } }, required: ['a'] }, ''],
    ['a bound without a type', { type: 'object', properties: { a: { minimum: 3 } } }, 'properties.a'],
    ['a bound of another type', { type: 'string', minimum: 3 }, ''],
    ['a branch without a type', { anyOf: [{ type: 'integer' }, { minLength: 1 }] }, 'anyOf.1'],
    ['a list of schemas for items', { type: 'array', items: [{ type: 'string' }] }, 'items'],
    ['a pattern', { type: 'string', pattern: '(a+)+$' }, 'pattern'],
    [
      'a pattern in a property',
      { type: 'object', properties: { properties: { type: 'string', pattern: 'a' } } },
      'properties.properties.pattern',
    ],
    ['patterns of names', { type: 'object', patternProperties: { a: {} } }, 'patternProperties'],
    ['a reference', { type: 'array', items: { $ref: '#/$defs/x' }, $defs: { x: {} } }, 'items.$ref'],
    ['a name of its own', { $id: 'x', type: 'string' }, '$id'],
    ['unique items without a bound', { type: 'array', uniqueItems: true }, 'uniqueItems'],
    ['another dialect', { $schema: 'http://json-schema.org/draft-04/schema#', type: 'string' }, '$schema'],
    ['a negative length', { type: 'string', minLength: -1 }, 'minLength'],
    ['a type that is no word', { type: 3 }, 'type'],
    ['too much', { enum: Array.from({ length: 3000 }, (_, index) => `a${index}`) }, ''],
  ])('%s', (_, schema, path) => {
    const problem = findSchemaProblem(schema);
    assert.equal(problem?.path.join('.'), path, problem?.message);
    assert.throws(() => findAnswerProblem(schema, {}), TypeError);
    const issue = onlyIssue(`  - prompt: { text: x, answer: ${JSON.stringify(schema)} }`);
    assert.equal(issue.code, 'answer-keyword');
  });
});

describe('an answer is held to what its schema says', () => {
  test.each<[schema: JsonMap, fits: Json[], others: Json[]]>([
    [
      { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      [{ a: 1 }, { b: 1 }],
      [{}, { a: 1, b: 1 }, 42],
    ],
    [{ const: { a: [1] } }, [{ a: [1] }], [{ a: [2] }, { a: [1], b: 1 }, '[object Object]']],
    [{ enum: [{ a: 1 }, [1], null] }, [{ a: 1 }, [1], null], [{ a: 2 }, [], 0]],
    [{ not: { type: 'string' } }, [1, null], ['a']],
    [{ if: { type: 'string' }, else: { type: 'integer' } }, ['a', 3], [1.5]],
    [{ type: ['string', 'null'], minLength: 2 }, ['ab', null], ['a', 1]],
    [
      { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false },
      [['a', 1], ['a']],
      [[1], ['a', 1, 2]],
    ],
    [
      { type: 'object', properties: { properties: { type: 'string' } }, required: ['properties'] },
      [{ properties: 'x' }],
      [{}],
    ],
    [{ type: 'object', required: ['toString'] }, [{ toString: 1 }], [{}]],
    [{ type: 'object', additionalProperties: false, properties: { a: {} } }, [{}, { a: 1 }], [{ b: 1 }]],
    [
      { type: 'object', unevaluatedProperties: false, allOf: [{ type: 'object', properties: { a: {} } }] },
      [{ a: 1 }],
      [{ b: 1 }],
    ],
    [{ type: 'number', multipleOf: 0.1 }, [0.3, 1], [0.35]],
    [{ type: 'integer', minimum: 1 }, [1, 2.0], [0, 1.5, '1']],
    [{ type: 'string', format: 'date' }, ['2024-02-29'], ['2023-02-29', 'today']],
    [{ type: 'array', maxItems: 9, uniqueItems: true }, [[{ a: 1 }, { a: 2 }]], [[{ a: 1 }, { a: 1 }]]],
    [
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'array', items: [{ type: 'string' }] },
      [['a', 1]],
      [[1]],
    ],
    [{}, [1, null, 'x', {}], []],
  ])('%j', (schema, fits, others) => {
    assert.equal(findSchemaProblem(schema), undefined);
    for (const answer of fits) assert.equal(findAnswerProblem(schema, answer), undefined, JSON.stringify(answer));
    for (const answer of others) assert.ok(findAnswerProblem(schema, answer), JSON.stringify(answer));
  });

  test('what is wrong names the place and what is allowed', () => {
    const schema: JsonMap = {
      type: 'object',
      properties: { list: { type: 'array', items: { enum: ['yes', 'no'] } }, n: { type: 'integer' } },
      additionalProperties: false,
      required: ['n'],
    };
    assert.equal(
      findAnswerProblem(schema, { list: ['maybe'], more: 1 }),
      'the answer: must have required property \'n\'; the answer: must NOT have additional properties ("more"); list.0: must be equal to one of the allowed values (["yes","no"])',
    );
  });
});

test('a schema that passes never throws when an answer is checked', () => {
  const leaf = fc.constantFrom<JsonMap>(
    { type: 'string', maxLength: 3 },
    { type: 'integer', minimum: 0 },
    { type: ['number', 'null'] },
    { enum: ['a', 1, null] },
    { const: { a: 1 } },
    { type: 'strng' },
    { minLength: 1 },
    {},
  );
  const { schema } = fc.letrec<{ schema: JsonMap }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      leaf,
      tie('schema').map((items): JsonMap => ({ type: 'array', items })),
      fc
        .tuple(fc.constantFrom('a', 'b', 'properties', '$ref', 'toString'), tie('schema'), fc.boolean())
        .map(([name, inner, isNeeded]): JsonMap => ({
          type: 'object',
          properties: { [name]: inner },
          ...(isNeeded && { required: [name] }),
        })),
      fc
        .tuple(fc.constantFrom('anyOf', 'oneOf', 'allOf'), fc.array(tie('schema'), { minLength: 1, maxLength: 3 }))
        .map(([keyword, list]): JsonMap => ({ [keyword]: list })),
      tie('schema').map((not): JsonMap => ({ not })),
    ),
  }));
  let passed = 0;
  fc.assert(
    fc.property(schema, fc.jsonValue(), (one, answer) => {
      if (findSchemaProblem(one)) return;
      passed += 1;
      findAnswerProblem(one, answer);
    }),
    { numRuns: 300 },
  );
  assert.ok(passed > 50, `${passed} schemas`);
});

test('the schemas of a blueprint have a bound together, and equal ones count once', () => {
  const step = (members: number, name: string) =>
    `  - prompt: { text: x, answer: { type: object, properties: { ${Array.from({ length: members }, (_, index) => `${name}${index}: { type: string }`).join(', ')} } } }`;
  assert.deepEqual(stepIssues(Array.from({ length: 10 }, () => step(200, 'a')).join('\n')), []);
  const issue = onlyIssue(Array.from({ length: 10 }, (_, index) => step(200, `a${index}_`)).join('\n'));
  assert.deepEqual([issue.code, issue.path], ['answer-keyword', 'steps[3].prompt.answer']);
});
