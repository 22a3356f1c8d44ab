import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { stepKinds } from '../../blueprints/kinds/kinds.ts';
import { searchAttributes, taskQueues } from '../../workflows/messages.ts';
import { root } from './markdown.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const foldersOf = (path: string): string[] =>
  readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
const missing = (path: string, words: string[]): string[] => words.filter((word) => !read(path).includes(word));
const typeNames = { KEYWORD: 'Keyword', BOOL: 'Bool', DOUBLE: 'Double', INT: 'Int' } as const;

describe('pages that list parts of the code', () => {
  it('have every part and every suite', () => {
    const others = new Set(['node_modules', 'docs']);
    assert.deepEqual(
      missing(
        'ARCHITECTURE.md',
        foldersOf('')
          .filter((name) => !others.has(name))
          .map((name) => `\`${name}/\``),
      ),
      [],
    );
    const noSuites = new Set(['fixtures', 'histories']);
    assert.deepEqual(
      missing(
        'CONTRIBUTING.md',
        foldersOf('test')
          .filter((name) => !noSuites.has(name))
          .map((name) => `\`${name}\``),
      ),
      [],
    );
  });

  it('have every search attribute with its type, and the command that registers it', () => {
    const attributes = Object.entries(searchAttributes);
    assert.deepEqual(
      missing(
        'docs/how-to/run-a-worker.md',
        attributes.map(([name, type]) => `${name}=${typeNames[type]}`),
      ),
      [],
    );
    assert.deepEqual(
      missing(
        'docs/how-to/look-at-runs.md',
        attributes
          .filter(([name]) => name !== 'JigCampaign')
          .map(([name, type]) => `| \`${name}\` | ${typeNames[type]} |`),
      ),
      [],
    );
  });

  it('have every queue and every kind of step', () => {
    assert.deepEqual(
      missing(
        'docs/operations.md',
        Object.values(taskQueues).map((name) => `\`${name}\``),
      ),
      [],
    );
    assert.deepEqual(
      missing(
        'CHANGELOG.md',
        stepKinds.map((kind) => `\`${kind}\``),
      ),
      [],
    );
  });

  it('exist for every blueprint of the library', () => {
    const names = readdirSync(join(root, 'blueprints/library')).map((name) => `${name}.md`);
    assert.deepEqual(
      names.filter((name) => !readdirSync(join(root, 'docs/blueprints')).includes(name)),
      [],
    );
  });
});
