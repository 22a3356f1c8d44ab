import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { z } from 'zod';
import { commonEvaluated, commonKeys } from '../../blueprints/kinds/kind.ts';
import { blocks, isStepKind, kinds, type StepKind, stepKinds } from '../../blueprints/kinds/kinds.ts';
import { referenceFiles } from '../../blueprints/reference-pages.ts';
import { stepSchemas } from '../../blueprints/schema.ts';
import { productSources } from '../architecture/sources.ts';
import { onlyIssue, stepIssues } from './support.ts';

const root = join(import.meta.dirname, '../..');

/** The shortest step of each kind. */
const steps: Record<StepKind, string> = {
  run: 'run: ls',
  check: 'check: [ls]',
  agent: 'agent: { task: x }',
  prompt: 'prompt: { text: x, answer: {} }',
  edit: 'edit: { path: a, old: b, new: c }',
  each: "each: ${{ 'a'.split(' ') }}\n    as: x\n    do: [ run: ls ]",
  change: 'change: { title: x }',
  ci: 'ci: {}',
  approve: 'approve: {}',
  end: 'end: { outcome: failed, reason: x }',
};

for (const kind of stepKinds) {
  const { schema, outputs, variants = [], evaluated, withoutEffect = [], once, children } = kinds[kind];
  const before = kind === 'ci' ? '  - change: { title: x }\n' : '';
  const isCommon = (key: string): boolean => Object.hasOwn(commonKeys, key);

  test(`one mistake in a step of kind ${kind} is one issue`, () => {
    assert.deepEqual(stepIssues(`${before}  - ${steps[kind]}`), []);
    assert.equal(onlyIssue(`${before}  - ${steps[kind]}\n    titel: x`).hint, 'did you mean `title`?');
    const wrong = onlyIssue(`${before}  - ${steps[kind].replace(/(?<=: )(?:\$\{\{.*?\}\}|\{.*\}|\[ls\]|ls)$/m, '7')}`);
    assert.deepEqual([wrong.code, wrong.path.split('.').at(-1)], ['wrong-type', kind]);
  });

  test(`${kind} accepts every common key except those that would have no effect`, () => {
    assert.deepEqual(
      Object.keys(schema.shape).filter((key) => isCommon(key)),
      Object.keys(commonKeys),
    );
    const values: Record<string, string> = { timeout: '3m', retry: '2', env: '{ A: b }', 'on-failure': 'stop' };
    for (const [key, value] of Object.entries(values)) {
      const codes = stepIssues(`${before}  - ${steps[kind]}\n    ${key}: ${value}`).map(({ code }) => code);
      assert.deepEqual(codes, withoutEffect.some((each) => each === key) ? ['key-without-effect'] : [], key);
    }
  });

  test(`${kind} defines for every text of a step whether it is evaluated`, () => {
    const own = Object.entries(z.toJSONSchema(schema, { io: 'input' }).properties ?? {});
    const places = own.flatMap(([key, value]) => placesOf(key, value));
    const declared = [...commonEvaluated.filter(({ key }) => key !== 'if'), ...evaluated];
    const named = declared.map(({ key, inner }) => (inner === undefined ? key : `${key}.${inner}`));
    assert.deepEqual(named.toSorted(), places.toSorted());
  });

  test(`${kind} has an action, a section in the reference, and outputs that are described there`, () => {
    const actions = ['steps', 'blocks'].filter((folder) => existsSync(join(root, `workflows/${folder}/${kind}.ts`)));
    assert.equal(actions.length, 1);
    const page = referenceFiles().get('docs/reference/blueprint.md') ?? '';
    const section = page.slice(page.indexOf(`\n### ${kind}\n`)).split('\n### ')[1] ?? '';
    for (const [name, { type, description }] of Object.entries(outputs)) {
      assert.notEqual(description, '');
      assert.ok(section.includes(`| \`${name}\` | \`${type}\` | ${description} |`), name);
    }
  });

  test(`${kind} has variants only of outputs that it declares`, () => {
    for (const { outputs: others, typeName } of variants) {
      assert.deepEqual(
        Object.keys(others).filter((name) => !Object.hasOwn(outputs, name)),
        [],
      );
      const differs = Object.entries(others).some(([name, { type }]) => type !== outputs[name]?.type);
      assert.equal(typeName !== undefined, differs, typeName);
    }
  });

  test(`${kind} ${once ? 'happens once in a run, so it can’t be' : 'can be'} inside a block`, () => {
    const inside = `\n      - ${steps[kind].replaceAll('\n', '\n    ').replace('as: x', 'as: y')}`;
    for (const { kind: block } of blocks) {
      const codes = stepIssues(`${before}  - ${steps[block].replace(' [ run: ls ]', inside)}`).map(({ code }) => code);
      assert.deepEqual(codes, once ? ['not-inside-each'] : []);
    }
  });

  if (children)
    test(`${kind} has a key for its steps, and a key that names their variable`, () => {
      assert.ok(children.key === kind || !Object.hasOwn(schema.shape, children.key));
      assert.ok(children.variable === undefined || Object.hasOwn(schema.shape, children.variable));
      const { properties } = z.toJSONSchema(stepSchemas[kind], { io: 'input' });
      assert.ok(Object.hasOwn(properties ?? {}, children.key));
    });
}

test('every file beside the table defines a kind that the table lists', () => {
  const names = readdirSync(join(root, 'blueprints/kinds')).map((name) => name.replace(/\.ts$/, ''));
  assert.deepEqual(
    names.filter((name) => !isStepKind(name)),
    ['kind', 'kinds'],
  );
  assert.equal(names.length, stepKinds.length + 2);
});

test('no code of the language depends on one kind, except the definitions', () => {
  const asks = new RegExp(`'(?:${stepKinds.join('|')})' in |\\bkind [!=]== '|\\b(?:${stepKinds.join('|')})Kind\\b`);
  const general = productSources.filter(({ path }) => /^blueprints\/[^/]+\.ts$/.test(path));
  assert.ok(general.length > 20);
  assert.deepEqual(
    general.filter(({ text }) => asks.test(text)).map(({ path }) => path),
    [],
  );
});

/** The keys of a schema, and those one level inside of them, whose texts may hold a template, by their length. */
function placesOf(key: string, value: unknown): string[] {
  const isTemplate = (node: unknown): boolean => JSON.stringify(node).includes('"maxLength":65536');
  if (typeof value !== 'object' || value === null || !isTemplate(value)) return [];
  if (!('properties' in value)) return [key];
  return Object.entries(value.properties as object).flatMap(([inner, node]) =>
    isTemplate(node) ? [`${key}.${inner}`] : [],
  );
}
