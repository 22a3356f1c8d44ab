import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { renderMarkdown } from '../../cli/markdown-text.ts';
import { cell } from '../../workflows/details.ts';

const paint = (_: string, text: string): string => text;
const render = (markdown: string): string => renderMarkdown(markdown, paint);

test('marks of Markdown don’t stand in the way on a terminal: tables are aligned, escapes and headings are text', () => {
  assert.equal(
    render(
      '### Evi\\_dence\n\n| | step | what |\n|---|:-:|---|\n| ✓ | a\\_b | x \\| y |\n| ✗ | longer\\-name |  |\n\nmodel m \\(live\\)',
    ),
    'Evi_dence\n\n   step         what\n✓  a_b          x | y\n✗  longer-name\n\nmodel m (live)',
  );
});

test('code keeps its backslashes, in spans and in fences', () => {
  assert.equal(render('a\\_b `c\\_d` ``e`\\_f`` \\`g\\_h\\`'), 'a_b `c\\_d` ``e`\\_f`` `g_h`');
  assert.equal(render('```sh\n# a\\_b\n| c |\n```\n\\*d'), '```sh\n# a\\_b\n| c |\n```\n*d');
  assert.equal(render('C:\\dir\\\\x'), 'C:\\dir\\x');
});

test('a cell of the evidence is shown as the text that it was made from', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('ab\\`*_{}[]<>()#!|~@-. é')) }), (text) => {
      const plain = text.replaceAll(/\s+/g, ' ').trim();
      assert.equal(render(`| x | ${cell(text)} | y |`), `x  ${plain}  y`);
    }),
  );
});
