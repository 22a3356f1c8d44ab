import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { execa } from 'execa';
import { libraryProgram } from './program.ts';

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'jig-major-bump-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const python = async (...words: string[]) => run(words);
const run = async ([program = '', ...words]: string[], env: Record<string, string> = {}) =>
  (
    await execa('python3', [libraryProgram('python-major-bump', program), ...words], {
      cwd,
      env: { HOME: cwd, PYTHONPATH: cwd, ...env },
    })
  ).stdout;

const requirements: [file: string, before: string, after: string][] = [
  ['requirements.txt', 'pydantic==1.10.4', 'pydantic>=2,<3'],
  [
    'requirements.txt',
    'Pydantic[email] >= 1.8, < 2 ; python_version > "3.8"  # kept',
    'Pydantic[email] >=2,<3 ; python_version > "3.8"  # kept',
  ],
  ['requirements-dev.txt', 'pydantic-core==1.0', 'pydantic-core==1.0'],
  ['pyproject.toml', 'dependencies = ["attrs", "pydantic~=1.9"]', 'dependencies = ["attrs", "pydantic>=2,<3"]'],
  ['pyproject.toml', 'pydantic = "^1.10"', 'pydantic = ">=2,<3"'],
  [
    'pyproject.toml',
    'pydantic = { version = "^1.10", extras = ["email"] }',
    'pydantic = { version = ">=2,<3", extras = ["email"] }',
  ],
  ['setup.py', "    install_requires=['pydantic<2'],", "    install_requires=['pydantic>=2,<3'],"],
  ['setup.cfg', '    pydantic>=1,<2', '    pydantic>=2,<3'],
];
for (const [file, source, result] of requirements) {
  test(`${file}: ${source} becomes ${result}`, async () => {
    await writeFile(join(cwd, file), `${source}\n`);
    await python('requirement.py', 'pydantic', '>=2,<3', 'write');
    assert.equal(await readFile(join(cwd, file), 'utf8'), `${result}\n`);
    assert.equal(await python('requirement.py', 'pydantic', '>=2,<3'), '[]', 'a second run finds nothing');
    await rm(join(cwd, file));
  });
}

test('a name is renamed if the library gives the new one and the line has the old one once; the other lines are listed', async () => {
  const says = 'The `dict` method is deprecated; use `model_dump` instead';
  const lines = ['    a = x.dict()', '    b = x.dict() == y.dict()', '    c = Odd()'];
  await writeFile(join(cwd, 'module.py'), lines.join('\n'));
  const said = lines.map((text, index) => [
    'module.py',
    index + 1,
    [index === 2 ? 'Odd is deprecated' : says],
    text.trim(),
  ]);
  await writeFile(join(cwd, 'said.json'), JSON.stringify(said));
  assert.deepEqual(
    JSON.parse(await python('plugins/deprecations.py', 'doubtful')),
    [2, 3].map((line) => ({ path: 'module.py', line })),
  );
  assert.equal(await python('plugins/deprecations.py', 'rename'), '1');
  assert.equal(
    await readFile(join(cwd, 'module.py'), 'utf8'),
    ['    a = x.model_dump()', ...lines.slice(1)].join('\n'),
  );
  assert.deepEqual(JSON.parse(await python('plugins/deprecations.py', 'show', 'module.py', '2')), {
    text: 'b = x.dict() == y.dict()',
    says,
  });
});

/** As a codemod marks a comment; no reminder of ours. */
const mark = ['TO', 'DO'].join('');
const codemodNote = `# ${mark}[shelf]: The following keys were removed: \`fixed\`.\n# Check the guide.\n`;

/** A repository whose module.py a codemod changed from nothing to this. */
async function changed(text: string) {
  const git = (...words: string[]) =>
    execa('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...words], { cwd });
  await rm(join(cwd, '.git'), { recursive: true, force: true });
  await git('init', '--quiet');
  await writeFile(join(cwd, 'module.py'), '');
  await writeFile(join(cwd, 'shelf.py'), 'Book = Page = check = checked = Context = None\n');
  await git('add', 'module.py');
  await git('commit', '--quiet', '--message', 'Start');
  await writeFile(join(cwd, 'module.py'), text);
}
const moduleText = () => readFile(join(cwd, 'module.py'), 'utf8');

const arguments_: [rule: string, before: string, after: string][] = [
  ['fixed=True -> frozen=False', 'a = Book(1, fixed=True)', 'a = Book(1, frozen=False)'],
  ['fixed=True -> frozen=False', 'a = Book(fixed=False)', 'a = Book(fixed=False)'],
  ['fixed -> frozen', 'a = shelf.Page.of(fixed=f("å", x))', 'a = shelf.Page.of(frozen=f("å", x))'],
  ['fixed=True ->', 'a = Book(fixed=True, b=2)', 'a = Book(b=2)'],
  ['fixed=True ->;b=2 ->', 'a = Book(\n    fixed=True,\n    b=2,\n)', 'a = Book(\n)'],
  ['fixed=True ->', 'a = Book(b=2, fixed=True)', 'a = Book(b=2)'],
  ['fixed=True ->', 'a = Book(\n    b=2,\n    fixed=True\n)', 'a = Book(\n    b=2\n)'],
  ['fixed=True ->', 'a = Box(fixed=True)', 'a = Box(fixed=True)'],
];
for (const [rules, source, result] of arguments_) {
  test(`by the rule ${rules}, ${JSON.stringify(source)} becomes ${JSON.stringify(result)}`, async () => {
    const imports = 'import shelf\nfrom shelf import Book\nfrom boxes import Box\n';
    await changed(`${imports}${source}\n`);
    assert.equal(
      await run(['notes.py', 'arguments', 'shelf'], { RULES: rules }),
      String(source === result ? 0 : rules.split(';').length),
    );
    assert.equal(await moduleText(), `${imports}${result}\n`);
  });
}

test('a note that asks only for arguments that code changed is deleted; any other note stays', async () => {
  const noteOfTwo = codemodNote.replace('`fixed`', '`fixed`, `odd`');
  await changed(
    `from shelf import Book\n\n${codemodNote}a = Book(fixed=True)\n${noteOfTwo}b = Book(fixed=True, odd=1)\n`,
  );
  assert.equal(await run(['notes.py', 'arguments', 'shelf'], { RULES: 'fixed -> frozen' }), '2');
  assert.equal(
    await moduleText(),
    `from shelf import Book\n\na = Book(frozen=True)\n${noteOfTwo}b = Book(frozen=True, odd=1)\n`,
  );
  assert.equal(
    await python('notes.py', 'left'),
    `module.py:4: ${mark}[shelf]: The following keys were removed: \`fixed\`, \`odd\`.`,
  );
});

const noted = `from shelf import Book, check

class Novel(Book):
    # ${mark}[shelf]: We couldn't refactor the \`check\`.
    # Check the guide.
    @check("pages")
    def pages_fit(cls, value, values):
        return value

    # kept
    title: str
`;

test('a note is shown with the statement below it and the paragraphs of the guide that name something in it', async () => {
  await changed(noted);
  const GUIDE = '`values` is another thing.\n\nSay `Field` and not `check`.\n\nA `check` is named.';
  assert.deepEqual(JSON.parse(await python('notes.py', 'list')), [{ path: 'module.py', line: 4 }]);
  assert.deepEqual(JSON.parse(await run(['notes.py', 'show', 'module.py', '4'], { GUIDE })), {
    note: `${mark}[shelf]: We couldn't refactor the \`check\`.`,
    code: '1: @check("pages")\n2: def pages_fit(cls, value, values):\n3:     return value',
    advice: '`values` is another thing.\n\nA `check` is named.',
  });
});

const rewrittenNote = `from shelf import Context, checked, Book

class Novel(Book):
    @checked("pages")
    def pages_fit(cls, value, info: Context):
        return value

    # kept
    title: str
`;
const first = { line: 1, text: '@checked("pages")' };
const second = { line: 2, text: 'def pages_fit(cls, value, info: Context):' };

const answers: [rule: string, lines: { line: number; text: string }[], result: string][] = [
  [
    'the answered lines replace those of the statement, the note is deleted, and the imports are corrected',
    [first, second],
    rewrittenNote,
  ],
  [
    'one line can become two',
    [{ line: 1, text: '@checked("pages")\n@classmethod' }, second],
    rewrittenNote.replace('    def', '    @classmethod\n    def'),
  ],
  [
    'a line with an empty answer is removed',
    [first, { line: 2, text: `${second.text} return value` }, { line: 3, text: '' }],
    rewrittenNote.replace('\n        return', ' return'),
  ],
  [
    'an answer with all lines, and more, replaces the whole statement',
    [first, second, { line: 3, text: '    value += 1' }, { line: 4, text: '    return value' }],
    rewrittenNote.replace('        return', '        value += 1\n        return'),
  ],
  ['quotes stay as they are in the code', [{ line: 1, text: "@checked('pages')" }, second], rewrittenNote],
];
for (const [rule, lines, result] of answers) {
  test(rule, async () => {
    await changed(noted);
    await python('notes.py', 'list');
    await run(['notes.py', 'write', 'module.py', '4', 'shelf'], { LINES: JSON.stringify(lines) });
    assert.equal(await moduleText(), result);
    assert.equal(await python('notes.py', 'left'), '');
  });
}

test('an answer that changes nothing, is not valid Python or names a line that does not exist is refused, and the note stays', async () => {
  await changed(noted);
  await python('notes.py', 'list');
  for (const lines of [
    [],
    [{ line: 1, text: '@check("pages")' }],
    [{ line: 2, text: 'def pages_fit(:' }],
    [{ line: 9, text: 'x' }],
  ]) {
    await assert.rejects(run(['notes.py', 'write', 'module.py', '4', 'shelf'], { LINES: JSON.stringify(lines) }));
    assert.equal(await moduleText(), noted);
  }
});
