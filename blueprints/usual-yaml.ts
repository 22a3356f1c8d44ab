/**
 * Reads what people usually write several times faster. The parser that knows every place and every mistake takes two
 * thirds of a check, and of a sound text only its value is needed. A second, quick parser gives it where both are sure to
 * read the same; all else, and every mistake, is for the first one.
 */
import { CORE_SCHEMA, load } from 'js-yaml';
import { isJsonMap, type Json } from './json.ts';

/** Texts, names, times and numbers that are written in one way only; `null`, `true` and `false`. */
const plain = /^(?:[a-z_$/][^\n]*|\.{1,2}(?:\/[^\n]*)?|0|[1-9]\d{0,14}|(?:0|[1-9]\d{0,9})\.\d{0,5}[1-9]|[1-9]\d*(?:ms|[smhd]))$/i;
/** In capitals these are words of one schema and text of another. */
const word = /^(?:null|true|false)$/i;
/** `__proto__` has its own message; tabs, other line breaks and marks are where parsers differ. */
const odd = /[\t\r\u0080-\u00a0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]/;
const usualTypes = new Set(['space', 'comment', 'newline', 'seq-item-ind', 'flow-map-start', 'flow-map-end', 'flow-seq-start', 'flow-seq-end', 'comma']);

/** Looks at the tokens of a text, one after the other. */
export class UsualYaml {
  private readonly text: string;
  private isUsual: boolean;
  private isBlock = false;
  private isAfterScalar = false;

  constructor(text: string) {
    this.text = text;
    this.isUsual = !odd.test(text) && !text.includes('__proto__');
  }

  add(type: string | null, token: string): void {
    if (!this.isUsual) return;
    const isScalar = type?.endsWith('scalar') === true && !this.isBlock;
    this.isUsual = type !== null && this.isUsualToken(type, token) && !(isScalar && this.isAfterScalar);
    if (type !== 'space') this.isAfterScalar = isScalar;
  }

  private isUsualToken(type: string, token: string): boolean {
    switch (type) {
      case 'block-scalar-header':
        this.isBlock = true;
        return token === '|' || token === '|-';
      case 'scalar':
        if (!this.isBlock) return plain.test(token) && (!word.test(token) || token === token.toLowerCase());
        this.isBlock = false;
        return true;
      case 'single-quoted-scalar':
      case 'double-quoted-scalar':
        return !token.includes('\n');
      case 'map-value-ind':
        return this.isAfterScalar;
      default:
        return usualTypes.has(type);
    }
  }

  /** The text's value; undefined where only the parser that knows all can tell. */
  findValue(): Json | undefined {
    if (!this.isUsual) return undefined;
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema has no other types
      const value = load(this.text, { schema: CORE_SCHEMA }) as Json;
      return isJsonMap(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }
}
