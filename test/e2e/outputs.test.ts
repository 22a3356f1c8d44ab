/** What expressions read of a step at run time, as the reference says. */
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { createWorld, type World } from './harness.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld({
    script: {
      script: 'v1',
      replies: [
        { step: 'rate', answer: { score: 3, places: [{ weight: 1 }, { weight: 2.5 }] } },
        { step: 'hopeless', turn: 1, text: 'one' },
        { step: 'hopeless', turn: 2, text: 'two' },
        { step: 'hopeless', turn: 3, text: 'three' },
      ],
    },
  });
  await world.addRepository('acme/api', { 'README.md': 'one\n' });
});
afterAll(() => world[Symbol.asyncDispose]());

const blueprint = (name: string, steps: string): string => `blueprint: v1\nname: ${name}\nsteps:\n${steps}`;

test('a step that failed while the run goes on has every output that the reference lists', async () => {
  const { end } = await world.run(
    blueprint(
      'left',
      `
  - id: broken
    run: echo out; echo err >&2; exit 3
    parse: lines
    on-failure: continue
  - id: late
    run: sleep 600
    timeout: 500ms
    on-failure: continue
  - id: wrong
    check: [ 'false', 'true' ]
    on-failure: continue
  - id: items
    each: "\${{ ['a', 'b'] }}"
    as: item
    at-once: 1
    tolerate: 0
    on-failure: continue
    do:
      - run: [ test, "\${{ item }}", =, a ]
  - id: missing
    edit: { path: none.txt, old: a, new: b }
    on-failure: continue
  - id: hopeless
    prompt:
      text: x
      answer: { type: object, properties: { word: { type: string } }, required: [ word ] }
    on-failure: continue
  - end:
      outcome: succeeded
      reason: >-
        \${{ steps.broken.exitCode }} \${{ steps.broken.stdout }} \${{ steps.broken.stderr }} \${{ steps.broken.durationMs >= 0 }}
        \${{ size(steps.broken.value) }};
        \${{ steps.late.exitCode }} \${{ steps.late.stdout == '' }};
        \${{ steps.wrong.passed }} \${{ steps.wrong.failed }};
        \${{ steps.items.count }} \${{ steps.items.succeeded }} \${{ steps.items.failed }};
        \${{ steps.missing.path }}\${{ steps.missing.replacements }};
        \${{ steps.hopeless.value }}
`,
    ),
  );
  assert.match(end.reason, /^3 out err true [01]; 137 true; false \["false"\]; 2 1 1; 0; null$/);
});

test('a number of an answer is a double where its schema says number, also in an item of an each', async () => {
  const { end } = await world.run(
    blueprint(
      'numbers',
      `
  - id: rate
    prompt:
      text: x
      answer:
        type: object
        properties:
          score: { type: number }
          places: { type: array, items: { type: object, properties: { weight: { type: number } } } }
        required: [ score, places ]
  - id: items
    each: "\${{ steps.rate.value.places }}"
    as: place
    at-once: 1
    do:
      - run: [ test, "\${{ place.weight / 2 }}", "!=", "0" ]
  - end:
      outcome: succeeded
      reason: "\${{ steps.rate.value.score / 2 }} \${{ steps.rate.value.places.map(x, x.weight / 2) }}"
`,
    ),
  );
  assert.equal(end.reason, '1.5 [0.5,1.25]');
});
