import assert from 'node:assert/strict';
import { test } from 'vitest';
import * as fc from 'fast-check';
import { editText } from '../../agent/edit-text.ts';

const file = 'import datetime\n\ndef a():\n    return datetime.utcnow()\n\ndef b():\n    return datetime.utcnow()\n';

function errorOf(edit: Parameters<typeof editText>[1]): string {
  const edited = editText(file, edit);
  assert('error' in edited);
  return edited.error;
}

test('if a text is in several places, the answer shows their lines, and a model is told how to choose one', () => {
  const edited = editText(file, { old: 'datetime.utcnow()', new: 'x' });
  assert('error' in edited);
  assert.match(edited.error, /in 2 places:\n4\t    return datetime.utcnow\(\)\n7\t    return datetime.utcnow\(\)$/);
  assert.match(edited.advice ?? '', /"all": true.*"line": 4/);
});

test('`all` replaces every occurrence, and `line` the one that starts on that line', () => {
  const all = editText(file, { old: 'datetime.utcnow()', new: 'now()', all: true });
  assert('text' in all && !all.text.includes('utcnow'));
  assert.deepEqual(all.lines, [4, 7]);
  const one = editText(file, { old: 'datetime.utcnow()', new: 'now()', line: 7 });
  assert('text' in one);
  assert.equal(one.text, file.replace(/datetime\.utcnow\(\)\n$/, 'now()\n'));
});

test('if only a similar text is in the file, the answer shows the nearest lines', () => {
  const error = errorOf({ old: 'def a():\n  return datetime.utcnow( )', new: 'x' });
  assert.match(error, /nearest are lines \d+ to \d+:\n[^]*def a\(\):\n    return datetime.utcnow\(\)/);
});

test('if a text differs only in upper and lower case, the answer shows the line that was meant', () => {
  const edited = editText('import os\n\nTIMEOUT = 30\n', { old: 'timeout = 30', new: 'timeout = 60' });
  assert.match('error' in edited ? edited.error : '', /nearest are lines \d+ to \d+:\n[^]*TIMEOUT = 30/);
});

test('if nothing in a short file is similar, the answer shows the whole file', () => {
  assert.match(errorOf({ old: 'SELECT * FROM t', new: 'x' }), /nor one like it. It holds:\nimport datetime/);
  const long = editText('x\n'.repeat(100), { old: 'SELECT * FROM t', new: 'x' });
  assert.match('error' in long ? (long.advice ?? '') : '', /Read the file again/);
});

test('no answer is longer than a conversation can hold, however long a line is', () => {
  const line = 'foo(1) '.repeat(100_000);
  for (const edit of [
    { old: 'foo(1)', new: 'x' },
    { old: 'foo(2)', new: 'x' },
    { old: `${line}foo(2)`, new: 'x' },
  ]) {
    const edited = editText(line, edit);
    assert.ok(
      'error' in edited && edited.error.length < 10_000,
      'error' in edited ? `${edited.error.length}` : 'edited',
    );
  }
});

test('an edit that changes nothing is refused', () => {
  assert.match(errorOf({ old: 'import datetime', new: 'import datetime' }), /the same/);
});

test('replacement text is used literally, whatever characters it has', () => {
  const edited = editText('a', { old: 'a', new: "$& $1 $' \\" });
  assert('text' in edited);
  assert.equal(edited.text, "$& $1 $' \\");
});

test('an edit and its reverse leave the file as it was', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string({ minLength: 1 }), (before, after, old) => {
      const text = before + old + after;
      const edited = editText(text, { old, new: '\u0001NEW\u0001', all: true });
      assert('text' in edited);
      const back = editText(edited.text, { old: '\u0001NEW\u0001', new: old, all: true });
      assert('text' in back);
      assert.equal(back.text, text);
    }),
  );
});

test('text that only looks the same is found, and the rest of the file keeps its code points', () => {
  const decomposed = 'a cafe\u0301, na\u0308iv, \u1112\u1161\u11ab\n'.repeat(2);
  const edited = editText(decomposed, { old: 'caf\u00e9', new: 'tea', line: 2 });
  assert.equal(
    'text' in edited && edited.text,
    'a cafe\u0301, na\u0308iv, \u1112\u1161\u11ab\na tea, na\u0308iv, \u1112\u1161\u11ab\n',
  );
  const syllable = editText(decomposed, { old: '\ud55c', new: 'x', all: true });
  assert.equal('text' in syllable && syllable.text, 'a cafe\u0301, na\u0308iv, x\na cafe\u0301, na\u0308iv, x\n');
});

test('a letter is not found in one that has an accent', () => {
  assert.ok('error' in editText('cafe\u0301\n', { old: 'caf\u00e8', new: 'tea' }));
  assert.ok('error' in editText('\u00e9 cafe\u0301\n', { old: '\u00e8', new: 'x' }));
});

test('what is wrong with an edit is said to anybody, and what to do about it only to a model', () => {
  const same = editText('x = 1\n', { old: 'x = 1', new: 'x = 1' });
  assert(!('text' in same));
  assert.match(same.error, /the same, so this changes nothing: x = 1$/);
  assert.match(same.advice ?? '', /^Write in new/);
});

function edited(text: string, edit: Parameters<typeof editText>[1]): string {
  const result = editText(text, edit);
  return 'text' in result ? result.text : result.error;
}

test('LF text is found in a file with CRLF, and what is written has the line ends and the mark of the file', () => {
  const crlf = 'import os\r\nimport sys\r\n';
  const lines = { old: 'import os\nimport sys', new: 'import os\nimport re\nimport sys' };
  assert.equal(edited(crlf, lines), 'import os\r\nimport re\r\nimport sys\r\n');
  assert.equal(edited(`\uFEFF${crlf}`, lines), '\uFEFFimport os\r\nimport re\r\nimport sys\r\n');
  assert.equal(edited(`\uFEFF${crlf}`, { old: '\uFEFFimport os\n', new: '' }), '\uFEFFimport sys\r\n');
  assert.equal(
    edited(crlf, { old: 'import os', new: 'import os\nimport re' }),
    'import os\r\nimport re\r\nimport sys\r\n',
  );
  assert.equal(edited(crlf, { old: 'import sys\r', new: 'import re\r' }), 'import os\r\nimport re\r\n');
  assert.equal(edited('a\nb\n', { old: 'a\r\nb\r\n', new: 'a\r\nc\r\nb\r\n' }), 'a\nc\nb\n');
  assert.equal(edited('a\rb\r', { old: 'a\nb', new: 'a\nc\nb' }), 'a\rc\rb\r');
  assert.equal(edited('x\r\ny = 1', { old: 'y = 1', new: 'y = 1\nz = 2' }), 'x\r\ny = 1\r\nz = 2');
});

test('in a file of mixed line ends, each line keeps its own, and a new one gets that of its neighbour', () => {
  const mixed = 'a\r\nb\nc\r\nd\n';
  assert.equal(edited(mixed, { old: 'a\nb\nc', new: 'a\nB\nc' }), 'a\r\nB\nc\r\nd\n');
  assert.equal(edited(mixed, { old: 'b', new: 'b\nnew' }), 'a\r\nb\nnew\nc\r\nd\n');
  assert.equal(edited(mixed, { old: 'b\nc\n', new: 'c\nb\n' }), 'a\r\nc\nb\r\nd\n');
  assert.equal(edited(mixed, { old: 'b\nc\nd', new: 'd' }), 'a\r\nd\n');
});

test('an edit that would only change line ends is refused, and the refusal says so', () => {
  assert.match(edited('a\r\nb\r\n', { old: 'a\r\nb', new: 'a\nb' }), /the same but for their line ends/);
});

test('an edit of a file with any line ends changes what the same edit changes in LF, and no other line end', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '\n', '\r\n', '\u00e9')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, text, text, fc.boolean(), (before, after, replacement, hasMark) => {
      const file = `${hasMark ? '\uFEFF' : ''}${before}\r\nOLD${after}`;
      const result = edited(file, { old: 'OLD', new: replacement });
      const inLf = (each: string) => each.replaceAll('\r\n', '\n');
      assert.equal(
        inLf(result),
        inLf(file).replace('OLD', () => inLf(replacement)),
      );
      assert.ok(result.startsWith(file.slice(0, file.indexOf('OLD'))));
      assert.ok(result.endsWith(after));
    }),
  );
});

test('a character that only looks like the one in the file is named, so that it can be written', () => {
  assert.match(
    edited('print\u00A0(\u2018a\u2019)\n', { old: "print ('a')", new: 'x' }),
    /one that looks the same: it has \\u00a0 where old has \\u0020, it has \\u2018 \(\u2018\) where old has \\u0027 \('\), it has \\u2019/,
  );
});
