import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { checkBlueprint } from '../../blueprints/check.ts';
import { issuesOf, onlyIssue, stepIssues, summary } from './support.ts';

/** Place, code and suggestion of each issue. */
function said(steps: string, inputs?: string): string[] {
  return stepIssues(steps, inputs).map((issue) => `${summary(issue)}: ${issue.hint}`);
}

test('the common keys of a step are checked even if its kind is unknown', () => {
  const frobnicate =
    '5:5 unknown-step steps[0].frobnicate: the kinds are run, check, agent, prompt, edit, each, change, ci, approve, end';
  assert.deepEqual(said("  - frobnicate: ls\n    timout: 10m\n    retry: -1\n    if: steps.none.stdout == ''"), [
    frobnicate,
    '6:5 unknown-key steps[0].timout: did you mean `timeout`?',
    '7:12 wrong-value steps[0].retry: undefined',
    '8:9 unknown-reference steps[0].if: undefined',
  ]);
  assert.deepEqual(said('  - timout: 10m\n    frobnicate: ls')[1], frobnicate.replace('5:5', '6:5'));
});

test('a step whose kind is misspelt is checked as the kind that was probably meant', () => {
  assert.deepEqual(
    said(
      '  - agnet: { taks: "${{ inputs.scr }}", turns: 0 }\n    verfy: [ ls ]\n    timeout: 3',
      '{ src: { type: string } }',
    ),
    [
      '5:5 unknown-step steps[0].agnet: did you mean `agent`?',
      '5:14 unknown-key steps[0].agnet.taks: did you mean `task`?',
      '5:25 unknown-reference steps[0].agnet.taks: did you mean `src`?',
      '5:48 wrong-value steps[0].agnet.turns: undefined',
      '6:5 unknown-key steps[0].verfy: did you mean `verify`?',
      '7:14 wrong-type steps[0].timeout: undefined',
    ],
  );
});

test('steps inside a misspelt key are checked, with the same scope as inside the correct key', () => {
  const loop =
    '  - eech: "${{ [1] }}"\n    as: item\n    doo:\n      - { id: one, runn: [ echo, "${{ item }}" ] }\n      - { run: ls, if: steps.one.exitCod == 0 }';
  assert.deepEqual(said(loop), [
    '5:5 unknown-step steps[0].eech: did you mean `each`?',
    '7:5 unknown-key steps[0].doo: did you mean `do`?',
    '8:20 unknown-step steps[0].doo[0].runn: did you mean `run`?',
    '9:24 unknown-reference steps[0].doo[1].if: did you mean `exitCode`?',
  ]);
});

test('a word that is as near to a kind as to another key counts as the kind, if the step has none', () => {
  assert.equal(onlyIssue('  - en: { outcome: failed, reason: x }').hint, 'did you mean `end`?');
  assert.equal(onlyIssue('  - { run: ls, titel: x }').hint, 'did you mean `title`?');
  assert.deepEqual(
    said('  - titel: x').map((line) => line.split(' ')[1]),
    ['step-without-action', 'unknown-key'],
  );
});

test('both actions of a step with two actions are checked', () => {
  assert.deepEqual(
    said('  - run: 7\n    check: [ ls ]\n    timout: 3m').map((line) => line.split(' ')[1]),
    ['wrong-type', 'step-with-many-actions', 'unknown-key'],
  );
});

test('a misspelt section is read, so that references to it don’t fail too', () => {
  assert.deepEqual(
    issuesOf(
      'blueprint: v1\nname: test\ninptus: { src: { tipe: string } }\nstpes:\n  - run: [ ls, "${{ inputs.src }}", "${{ inputs.scr }}" ]\n',
    ),
    [
      '3:1 unknown-key inptus',
      '3:18 unknown-key inptus.src.tipe',
      '4:1 unknown-key stpes',
      '5:42 unknown-reference stpes[0].run[2]',
    ],
  );
});

test('expressions can read an input even if its declaration is wrong', () => {
  assert.deepEqual(said('  - run: [ ls, "${{ inputs.src }}", "${{ inputs.scr }}" ]', '{ src: { type: strng } }'), [
    '3:24 wrong-value inputs.src.type: did you mean `string`?',
    '5:42 unknown-reference steps[0].run[2]: did you mean `src`?',
  ]);
});

test('if two words stand for one key, both are reported and the first is read', () => {
  assert.deepEqual(
    said('  - { run: ls, timout: 3m, timeot: 4 }').map((line) => line.split(':').at(-1)),
    [' did you mean `timeout`?', ' did you mean `timeout`?'],
  );
});

/** A blueprint without a mistake, whose words are each at one place only; `‹right|wrong›` is where a mistake can be planted. */
const blueprint = `blueprint: v1
name: test
‹title|titel›: x
‹inputs|inptus›:
  source:
    ‹type|tipe›: string
    ‹default|defalt›: src
‹sandbox|sandbx›:
  ‹resources|resorces›:
    ‹memory|memmory›: 1Gi
‹budget|budgt›: { ‹tokens|tokns›: 400, time: 45m }
‹steps|stpes›:
  - id: survey
    ‹run|runn›: [ grep, "\${{ inputs.‹source|sorce› }}" ]
    ‹parse|prase›: ‹lines|linse›
    ‹timeout|timout›: 10m
  - id: before
    ‹check|chek›: [ pytest -q ]
    ‹gate|gaet›: ‹baseline|basline›
  - id: fix
    if: size(steps.‹survey|survay›.stdout) > 0
    ‹agent|agnet›:
      ‹task|taks›: "Look at \${{ steps.survey.‹stdout|stdot› }}"
      ‹tools|tolos›: [ read, ‹search|serach› ]
      ‹turns|trns›: 20
    ‹verify|verfy›: [ pytest -q ]
    ‹attempts|atempts›: 2
  - id: loop
    ‹each|eech›: \${{ [1, 2] }}
    ‹at-once|at-onec›: 2
    as: place
    do:
      - id: ask
        ‹prompt|promt›: { ‹text|txet›: "Rewrite \${{ ‹place|plaec› }}", answer: {} }
        ‹retry|rtry›: 2
      - ‹edit|edti›: { path: a, old: b, new: "\${{ steps.‹ask|aks›.value }}", ‹line|lien›: 3 }
  - ‹change|chnage›: { title: x, ‹draft|drfat›: true }
  - ci: { ‹rounds|ruonds›: 2 }
    ‹on-failure|on-failur›: ‹continue|contineu›
`;
const marks = [...blueprint.matchAll(/‹(.*?)\|(.*?)›/g)];

/** The text with the mistakes of these numbers, and the line of each of them. */
function plant(wrong: ReadonlySet<number>): { text: string; lines: number[] } {
  const lines: number[] = [];
  let text = '';
  let from = 0;
  for (const [index, mark] of marks.entries()) {
    text += blueprint.slice(from, mark.index);
    if (wrong.has(index)) lines.push(text.split('\n').length);
    text += mark[wrong.has(index) ? 2 : 1];
    from = mark.index + mark[0].length;
  }
  return { text: text + blueprint.slice(from), lines };
}

test('a blueprint with any number of misspelt words has that many problems, each at its line and with a suggestion', () => {
  assert.deepEqual(issuesOf(plant(new Set()).text), []);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(marks.length - 1), { minLength: 1 }), (wrong) => {
      const { text, lines } = plant(new Set(wrong));
      const issues = checkBlueprint(text, { file: 'b.yaml' }).issues;
      assert.deepEqual(
        issues.map(({ line }) => line),
        lines,
        text,
      );
      for (const { message, hint } of issues) assert.match(hint ?? '', /^did you mean `/, message);
    }),
    { numRuns: 300 },
  );
});
