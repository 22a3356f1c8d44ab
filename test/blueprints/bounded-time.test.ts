import assert from 'node:assert/strict';
import { test } from 'vitest';
import { checkBlueprint } from '../../blueprints/check.ts';

const maxMs = 1000;
const head = 'blueprint: v1\nname: n\nsteps:\n';

/** Repeats a piece until the text has that many characters. */
function fill(characters: number, piece: (index: number) => string): string {
  let text = '';
  for (let index = 0; text.length < characters; index += 1) text += piece(index);
  return text;
}

const long = (character: string): string => character.repeat(61);
const number = (index: number): string => String(index).padStart(4, '0');

/** Each multiplies something that a check looks for: names that were meant, places, lists, kinds of nesting. */
const hostile: Record<string, string> = {
  'many unknown names among many known ones': JSON.stringify({
    blueprint: 'v1',
    name: 'n',
    steps: Array.from({ length: 900 }, (_, index) => ({
      id: `${'a'.repeat(56)}x${number(index)}`,
      run: [`\${{steps.${long('b')}.x + steps.${long('c')}.x}}`],
    })),
  }),
  'many names that differ in little': `blueprint: v1\nname: n\ninputs:\n${fill(140_000, (index) => ` ${long('a').slice(4)}${number(index)}: { type: string }\n`)}steps:\n${fill(30_000, (index) => ` - run: [ a, "\${{inputs.b${long('a').slice(6)}${number(index)}}}" ]\n`)}`,
  'many mistakes on one line': `[${','.repeat(32_000)}`,
  'many mistakes on many lines': fill(45_000, () => ', \n'),
  'many steps inside of steps': head + fill(45_000, () => '- each: ${{[1]}}\n  as: x\n  do:\n  - run: a\n'),
  'many variables': head + fill(45_000, (index) => `- each: \${{[1]}}\n  as: x${index}\n  do:\n  - run: a\n`),
  'many steps without a name': head + fill(45_000, () => '- run: a\n'),
  'many steps without an action': head + fill(45_000, () => '- {}\n'),
  'many unknown keys': `blueprint: v1\nname: n\ninputs:\n${fill(45_000, (index) => ` i${index}: { typ: string }\n`)}`,
  'many templates where nothing is evaluated': `x: [${fill(45_000, () => '"${{1}}",')}]\n${head}${fill(20_000, () => '- {}\n')}`,
  'one text with many templates': `${head}- run: [ a, "${'${{1}}'.repeat(10_000)}" ]\n`,
  'large expressions': `${head}- run: a\n  env:\n${fill(250_000, (index) => `    A${index}: "\${{${'[1]+'.repeat(120)}[1]}}"\n`)}`,
  'nested expressions': `${head}- run: a\n  env:\n${fill(250_000, (index) => `    A${index}: "\${{${'[1].map(x,'.repeat(14)}x${')'.repeat(14)}}}"\n`)}`,
  'many alternatives in globs':
    head +
    fill(
      200_000,
      () =>
        `- agent: { task: t, allow-paths: [ ${Array.from({ length: 60 }, (_, index) => `"${'{a,b}'.repeat(5)}${'a'.repeat(100)}${index}"`).join(', ')} ] }\n`,
    ),
  'many braces in globs': head + fill(45_000, () => `- agent: { task: t, allow-paths: [ "${'{a,b,'.repeat(80)}" ] }\n`),
  'one large answer schema': `${head}- prompt: { text: t, answer: { anyOf: [${fill(60_000, () => '{type: object},')}] } }\n`,
  'many answer schemas': head + fill(45_000, () => '- prompt: { text: t, answer: { type: string } }\n'),
  'a long host name': `blueprint: v1\nname: n\nsandbox: { egress: [ "${'a-'.repeat(100_000)}" ] }\n`,
};

test.each(Object.entries(hostile))('a check of %s takes at most a second of processor time', (name, text) => {
  checkBlueprint(`${head}- run: a\n`, { file: name });
  const before = process.cpuUsage();
  checkBlueprint(text, { file: name });
  const { user, system } = process.cpuUsage(before);
  assert.ok((user + system) / 1000 <= maxMs, `${(user + system) / 1000} ms`);
});
