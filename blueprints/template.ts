/** Splits text that contains `${{ expression }}`. */
import { ExpressionFailed } from './cel-parse.ts';

/** A piece of a template. `offset` is where the expression's source starts in the template. */
export type TemplatePart = { text: string } | { source: string; offset: number };

/** Whether a text contains `${{`. */
export function hasTemplate(text: string): boolean {
  return text.includes('${{');
}

/**
 * Splits a template into text and expressions. @throws ExpressionFailed `expression-invalid` if a `${{` isn't closed.
 */
export function parseTemplate(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let from = 0;
  for (let open = template.indexOf('${{'); open >= 0; open = template.indexOf('${{', from)) {
    if (open > from) parts.push({ text: template.slice(from, open) });
    const close = findClose(template, open + 3);
    if (close < 0)
      throw new ExpressionFailed('expression-invalid', '`${{` is never closed by `}}`', { start: open, end: open + 3 });
    parts.push({ source: template.slice(open + 3, close), offset: open + 3 });
    from = close + 2;
  }
  if (from < template.length) parts.push({ text: template.slice(from) });
  return parts;
}

/** Finds the `}}` that ends an expression, and skips one in a string or at the end of a map. */
function findClose(template: string, start: number): number {
  let quote = '';
  let depth = 0;
  for (let index = start; index < template.length; index++) {
    const character = template[index] ?? '';
    if (quote) {
      if (character === '\\') index++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '{') depth++;
    else if (character === '}') {
      if (depth === 0) return template[index + 1] === '}' ? index : -1;
      depth--;
    }
  }
  return -1;
}
