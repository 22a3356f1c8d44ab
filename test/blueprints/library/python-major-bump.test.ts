import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { libraryBlueprint, setupProgram } from './blueprint.ts';

let cwd: string;
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'jig-major-bump-'));
  const blueprint = await libraryBlueprint('python-major-bump');
  for (const name of ['requirement', 'deprecations.py']) await writeFile(join(cwd, name), setupProgram(blueprint, name));
});
after(() => rm(cwd, { recursive: true, force: true }));

const python = async (...words: string[]) => (await execa('python3', words, { cwd, env: { HOME: cwd } })).stdout;

const requirements: [file: string, before: string, after: string][] = [
  ['requirements.txt', 'pydantic==1.10.4', 'pydantic>=2,<3'],
  ['requirements.txt', 'Pydantic[email] >= 1.8, < 2 ; python_version > "3.8"  # kept', 'Pydantic[email] >=2,<3 ; python_version > "3.8"  # kept'],
  ['requirements-dev.txt', 'pydantic-core==1.0', 'pydantic-core==1.0'],
  ['pyproject.toml', 'dependencies = ["attrs", "pydantic~=1.9"]', 'dependencies = ["attrs", "pydantic>=2,<3"]'],
  ['pyproject.toml', 'pydantic = "^1.10"', 'pydantic = ">=2,<3"'],
  ['pyproject.toml', 'pydantic = { version = "^1.10", extras = ["email"] }', 'pydantic = { version = ">=2,<3", extras = ["email"] }'],
  ['setup.py', "    install_requires=['pydantic<2'],", "    install_requires=['pydantic>=2,<3'],"],
  ['setup.cfg', '    pydantic>=1,<2', '    pydantic>=2,<3'],
];
for (const [file, source, result] of requirements) {
  test(`${file}: ${source} becomes ${result}`, async () => {
    await writeFile(join(cwd, file), `${source}\n`);
    await python('requirement', 'pydantic', '>=2,<3', 'write');
    assert.equal(await readFile(join(cwd, file), 'utf8'), `${result}\n`);
    assert.equal(await python('requirement', 'pydantic', '>=2,<3'), '[]', 'a second run finds nothing');
    await rm(join(cwd, file));
  });
}

test('what the library names a new name for is renamed where the line has the old one once; the other lines are offered', async () => {
  const says = 'The `dict` method is deprecated; use `model_dump` instead';
  const lines = ['    a = x.dict()', '    b = x.dict() == y.dict()', '    c = Odd()'];
  await writeFile(join(cwd, 'module.py'), lines.join('\n'));
  const said = lines.map((text, index) => ['module.py', index + 1, [index === 2 ? 'Odd is deprecated' : says], text.trim()]);
  await writeFile(join(cwd, 'said.json'), JSON.stringify(said));
  assert.deepEqual(JSON.parse(await python('deprecations.py', 'doubtful')), [2, 3].map((line) => ({ path: 'module.py', line })));
  assert.equal(await python('deprecations.py', 'rename'), '1');
  assert.equal(await readFile(join(cwd, 'module.py'), 'utf8'), ['    a = x.model_dump()', ...lines.slice(1)].join('\n'));
  assert.deepEqual(JSON.parse(await python('deprecations.py', 'show', 'module.py', '2')), { text: 'b = x.dict() == y.dict()', says });
});
