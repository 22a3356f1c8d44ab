import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'vitest';
import { pages, proseOf, root, type Page } from './markdown.ts';

const byPath = new Map(pages.map((page) => [page.path, page]));

function linksOf(page: Page): string[] {
  return [
    ...proseOf(page)
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^()\s]+)\)/g),
  ]
    .map(([, to = '']) => to)
    .filter((to) => !/^[a-z]+:/.test(to));
}

/** As code hosts make them from headings. */
function anchorsOf(page: Page): string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function isBroken(page: Page, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const path = file ? normalize(join(dirname(page.path), file)) : page.path;
  if (!existsSync(join(root, path))) return true;
  const target = byPath.get(path);
  return anchor !== undefined && target !== undefined && !anchorsOf(target).includes(anchor);
}

describe('links between pages', () => {
  it('lead to a page and a heading that exist', () => {
    const links = pages.flatMap((page) => linksOf(page).map((link) => ({ page, link })));
    assert.ok(links.length > 100, `only ${links.length} links were read`);
    assert.deepEqual(
      links.filter(({ page, link }) => isBroken(page, link)).map(({ page, link }) => `${page.path}: ${link}`),
      [],
    );
  });

  it('reach every page of docs/ from its index', () => {
    const reached = new Set(['docs/README.md']);
    for (const path of reached) {
      const page = byPath.get(path);
      for (const link of page ? linksOf(page) : [])
        reached.add(normalize(join(dirname(path), link.split('#')[0] ?? '')));
    }
    assert.deepEqual(
      pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && !reached.has(path)),
      [],
    );
  });
});
