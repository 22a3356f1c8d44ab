/** The Markdown files of the repository, as the tests of this folder read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Page {
  /** From the repository's root. */
  path: string;
  text: string;
}

const outside = new Set(['node_modules', 'test']);

export const pages: Page[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.md') && !path.split('/').some((part) => outside.has(part) || part.startsWith('.')))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

const fence = /^( *)(```|~~~)(\w*)\n([\s\S]*?)^\1\2 *$/gm;

/** The fenced blocks of a language. */
export function blocksOf({ text }: Page, language: string): string[] {
  return [...text.matchAll(fence)].filter(([, , , name]) => name === language).map(([, , , , code = '']) => code);
}

/** What is left without fenced blocks. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(fence, '');
}
