import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { promisify } from 'node:util';
import { blocksOf, pages, root } from './markdown.ts';

const run = promisify(execFile);

/** What the copy needs of test/: the checks that every kind of step must pass. */
const tests = ['test', 'test/blueprints', 'test/blueprints/kinds.test.ts', 'test/blueprints/support.ts'];
const sources = ['test/architecture', 'test/architecture/sources.ts'];

/** Says what a blueprint with the new kind is told, and what the reference says of the kind. */
const program = `
  import { checkBlueprint } from './blueprints/check.ts';
  import { referenceFiles } from './blueprints/reference-pages.ts';
  const check = (steps) =>
    checkBlueprint('blueprint: v1\\nname: test\\nsteps:\\n' + steps, { file: 'b.yaml' }).issues.map(({ code }) => code);
  const page = referenceFiles().get('docs/reference/blueprint.md');
  console.log(JSON.stringify({
    right: check('  - id: a\\n    note: x\\n  - note: "\${{ steps.a.text }}"\\n'),
    wrong: check('  - note: "\${{ steps.later.text }}"\\n  - id: later\\n    note: x\\n    env: { A: b }\\n'),
    section: page.slice(page.indexOf('### note'), page.indexOf('## Expressions')),
  }));
`;

describe('the diff of a new kind of step in CONTRIBUTING.md', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jig-new-kind-'));
    await cp(root, folder, {
      recursive: true,
      filter: (path) => {
        const [part = '', ...rest] = relative(root, path).split('/');
        if (part === 'test') return [...tests, ...sources].includes([part, ...rest].join('/'));
        return part !== 'node_modules' && part !== 'docs' && !part.startsWith('.');
      },
    });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const diff = pages.flatMap((page) => (page.path === 'CONTRIBUTING.md' ? blocksOf(page, 'diff') : [])).join('');
    await writeFile(join(folder, 'new-kind.diff'), diff);
    await run('git', ['apply', 'new-kind.diff'], { cwd: folder });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has everything that the types require', async () => {
    const include = ['blueprints/**/*.ts', 'workflows/**/*.ts', 'test/blueprints/*.ts'];
    await writeFile(join(folder, 'tsconfig.copy.json'), JSON.stringify({ extends: './tsconfig.json', include }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', 'tsconfig.copy.json'], { cwd: folder }).catch(
      (error: { stdout: string }) => error,
    );
    assert.equal(stdout, '');
  });

  it('makes a kind that is checked, with a section in the reference', async () => {
    await writeFile(join(folder, 'look.ts'), program);
    const { stdout } = await run(process.execPath, ['look.ts'], { cwd: folder });
    const { right, wrong, section } = JSON.parse(stdout) as Record<string, string | string[]>;
    assert.deepEqual(right, []);
    assert.deepEqual(wrong, ['forward-reference', 'key-without-effect']);
    assert.match(String(section), /\| \*\*`note`\*\* \| string \| A line for whoever looks at the run \|/);
    assert.match(String(section), /\| `text` \| `string` \| The line \|/);
  });
});
