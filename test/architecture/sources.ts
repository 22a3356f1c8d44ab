/** The product's own sources, as the tests of this folder read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Source {
  /** From the repository's root, with `/`. */
  path: string;
  text: string;
}

export interface Import {
  from: string;
  to: string;
  how: 'value' | 'type' | 'dynamic';
}

const outside = new Set(['node_modules', 'docs', 'test']);

/** Every file of code outside test/. */
export const productSources: Source[] = readSources('').filter(({ path }) => !path.startsWith('test/'));

function readSources(folder: string): Source[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  return entries.flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory()) return outside.has(path) ? [] : readSources(path);
    return /\.(ts|mjs)$/.test(path) ? [{ path, text: readFileSync(join(root, path), 'utf8') }] : [];
  });
}

/** `test/fixtures` are repositories for runs, not code of ours. */
export const testSources: Source[] = readdirSync(join(root, 'test'))
  .filter((name) => name !== 'fixtures')
  .flatMap((name) => readSources(`test/${name}`));

const statement = /^(?:import|export)\b([^'";]*?)\bfrom\s*'([^']+)'/gm;
const bare = /^import\s*'([^']+)'/gm;
/** Also as a type: `typeof import('…')`. */
const inline = /(typeof\s+)?\bimport\(\s*'([^']+)'/g;

/** What a file imports of ours. */
export function importsOf({ path, text }: Source): Import[] {
  const own = (to: string): boolean => to.startsWith('.');
  const resolve = (to: string): string =>
    normalize(join(dirname(path), to))
      .split(sep)
      .join('/');
  const found = [
    ...[...text.matchAll(statement)].map(([, names = '', to = '']) => ({
      to,
      how: isOnlyTypes(names) ? ('type' as const) : ('value' as const),
    })),
    ...[...text.matchAll(bare)].map(([, to = '']) => ({ to, how: 'value' as const })),
    ...[...text.matchAll(inline)].map(([, type, to = '']) => ({
      to,
      how: type ? ('type' as const) : ('dynamic' as const),
    })),
  ];
  return found.filter(({ to }) => own(to)).map(({ to, how }) => ({ from: path, to: resolve(to), how }));
}

function isOnlyTypes(names: string): boolean {
  const text = names.trim();
  if (text.startsWith('type ')) return true;
  const inside = /^\{(.*)\}$/s.exec(text)?.[1];
  return (
    inside !== undefined && inside.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '))
  );
}
