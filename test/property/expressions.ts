/** The few expressions that the cases use, evaluated plainly. */
import type { Command } from '../../blueprints/values.ts';

export interface Values {
  [name: string]: string | Values;
}

function read(path: string, values: Values): string {
  const found = path
    .replace(/^steps\./, '')
    .split('.')
    .reduce<string | Values>((at, name) => (typeof at === 'string' ? at : (at[name] ?? '')), values);
  return typeof found === 'string' ? found : JSON.stringify(found);
}

export const fill = (template: string, values: Values): string =>
  template.replaceAll(/\$\{\{ ([\w.]+) \}\}/g, (_, path: string) => read(path, values));

export function isTrue(condition: string | boolean, values: Values): boolean {
  const [, path = '', wanted] = /^([\w.]+) == '(\w+)'$/.exec(String(condition)) ?? [];
  return read(path, values) === wanted;
}

/** Of `${{ ['a', 'b'] }}`. */
export const itemsOf = (template: string): string[] =>
  [...template.matchAll(/'([^']*)'/g)].map(([, item]) => item ?? '');

export const argvOf = (command: Command, values: Values): string[] =>
  (typeof command === 'string' ? [command] : command).map((word) => fill(word, values));
