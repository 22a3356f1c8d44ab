import assert from 'node:assert/strict';
import { test } from 'vitest';
import { checkBlueprint } from '../../blueprints/check.ts';
import { renderIssues } from '../../blueprints/render-issues.ts';

function render(text: string, file = 'b.yaml', colors = false): string {
  return renderIssues(text, checkBlueprint(text, { file }).issues, { colors });
}

test('an issue is shown with its code, its place, its line, a caret and a hint', () => {
  assert.equal(
    render('blueprint: v1\nname: test\nsteps:\n  - run: ls\n    timout: 10m\n'),
    `error unknown-key: \`timout\` is not a key that can be used here
  --> b.yaml:5:5 (steps[0].timout)
5 |     timout: 10m
  |     ^^^^^^
  = did you mean \`timeout\`?

1 problem
`,
  );
});

test('if there are no issues, the text says so', () => {
  assert.equal(renderIssues('', [], { colors: false }), 'no problems\n');
});

test('control characters of a file never reach the terminal', () => {
  const text =
    'blueprint: v1\nname: test\nsteps:\n  - run: ls\n    "\u001B[31mti\u202Emout\u0007": 10m\t# \u001B]0;title\u0007\n';
  const rendered = render(text, 'b\u001B[2J.yaml');
  assert.doesNotMatch(rendered, /[^\P{C}\n]/u);
  assert.match(rendered, /\\u\{1b\}\[31m/);
  assert.equal(
    render(text, 'b.yaml', true)
      .split('\u001B')
      .slice(1)
      .filter((part) => !/^\[\d+m/.test(part))
      .join(),
    '',
  );
});

test('the caret is under the place, also in a long line and after a byte order mark', () => {
  const text = `\uFEFFblueprint: v1\nname: test\nsteps: [ { run: ls, title: "${'x'.repeat(190)}", wrong: 1, more: "${'y'.repeat(400)}" } ]\n`;
  for (const block of render(text).split('\n\n').slice(0, 2)) {
    const [, , line = '', carets = ''] = block.split('\n');
    assert.ok(line.length < 200);
    assert.match(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1), /^(wrong|more)$/);
  }
});
