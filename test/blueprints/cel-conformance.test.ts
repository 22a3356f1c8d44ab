/** The conformance cases of CEL's specification, held against our evaluator. */
import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { z } from 'zod';
import { Evaluation } from '../../blueprints/cel-evaluate.ts';
import { celEnvironment, ExpressionFailed, parseExpression } from '../../blueprints/cel-parse.ts';
import { type CelKey, type CelValue, toKey } from '../../blueprints/cel-values.ts';

const Value = z.record(z.string(), z.unknown());
const Case = z.object({
  name: z.string().optional(),
  expr: z.string(),
  value: Value.optional(),
  evalError: z.unknown().optional(),
  typedResult: z.unknown().optional(),
  container: z.string().optional(),
  bindings: z.record(z.string(), z.object({ value: Value.optional() })).optional(),
});
interface Suite {
  name?: string | undefined;
  suites?: Suite[] | undefined;
  tests?: { original: z.infer<typeof Case> }[] | undefined;
}
const Suite: z.ZodType<Suite> = z.lazy(() =>
  z.object({
    name: z.string().optional(),
    suites: z.array(Suite).optional(),
    tests: z.array(z.object({ original: Case })).optional(),
  }),
);

/** A value of a case; undefined if this language has no such type. */
function celValue(value: z.infer<typeof Value>): CelValue | undefined {
  const [[type, held] = []] = Object.entries(value);
  if (type === 'int64Value') return BigInt(z.string().parse(held));
  if (type === 'doubleValue') return Number(held);
  if (type === 'stringValue' || type === 'boolValue') return z.union([z.string(), z.boolean()]).parse(held);
  if (type === 'nullValue') return null;
  if (type === 'listValue') {
    const { values = [] } = z.object({ values: z.array(Value).optional() }).parse(held);
    const items = values.flatMap((item) => celValue(item) ?? []);
    return items.length === values.length ? items : undefined;
  }
  if (type !== 'mapValue') return undefined;
  const { entries = [] } = z
    .object({ entries: z.array(z.object({ key: Value, value: Value })).optional() })
    .parse(held);
  const map = new Map<CelKey, CelValue>();
  for (const entry of entries) {
    const key = toKey(celValue(entry.key) ?? null);
    const inner = celValue(entry.value);
    if (key === undefined || inner === undefined) return undefined;
    map.set(key, inner);
  }
  return map;
}

type Outcome = { value: CelValue | undefined } | 'an error' | 'not of this language';

function evaluate({ expr, bindings = {} }: z.infer<typeof Case>): Outcome {
  const environment = celEnvironment.clone();
  const variables = Object.entries(bindings).flatMap(([name, { value }]): [string, CelValue][] => {
    const known = value && celValue(value);
    return known === undefined ? [] : [[name, known]];
  });
  try {
    for (const [name] of variables) environment.registerVariable(name, 'dyn');
    // Nothing here has a static type, so what \`dyn\` makes is what is there already.
    const { ast } = parseExpression(expr.replaceAll(/\bdyn\(/g, '('), environment);
    return { value: new Evaluation({}, {}, new Map(variables)).evaluate(ast) };
  } catch (error) {
    const known = error instanceof ExpressionFailed ? error : undefined;
    const isForeign = known?.code === 'expression-invalid' || /is unknown here|not part of/.test(known?.message ?? '');
    return isForeign || !known ? 'not of this language' : 'an error';
  }
}

describe('the values of expressions are those of CEL’s conformance cases', () => {
  let decided = 0;

  function check(suite: Suite, path: string): void {
    for (const inner of suite.suites ?? []) check(inner, `${path}/${inner.name}`);
    const cases = (suite.tests ?? [])
      .map(({ original }) => original)
      .filter(({ container, typedResult }) => container === undefined && typedResult === undefined);
    if (cases.length === 0) return;
    it(path, () => {
      for (const one of cases) {
        const wanted = one.evalError === undefined ? celValue(one.value ?? { boolValue: true }) : 'an error';
        const found = evaluate(one);
        if (found === 'not of this language' || wanted === undefined) continue;
        assert.deepStrictEqual(found, wanted === 'an error' ? wanted : { value: wanted }, one.expr);
        decided += 1;
      }
    });
  }
  check(Suite.parse(tests), 'cases');

  it('enough cases are of this language', () => {
    assert.ok(decided >= 690, `${decided} cases`);
  });
});
