/**
 * Checks a text's YAML tokens before the parser sees them. Deep nesting makes the parser abort the whole process, which
 * no try/catch can stop, so depth is counted on the parser's own tokens. The lexer that makes them never recurses.
 */
import { CST, Lexer } from 'yaml';
import type { ErrorCode } from '../base/errors.ts';

const maxNesting = 64;

/** If a text repeats the same mistake, the parser's time grows with the square of the tokens. */
const maxTokens = 32_768;

/** Something in the text that is refused. Offsets are in UTF-16 units. */
export interface YamlProblem {
  code: ErrorCode;
  message: string;
  start: number;
  end: number;
  hint?: string | undefined;
}

const refused: Partial<Record<string, string>> = {
  alias: 'an alias (`*name`) is not part of this language: write the value out',
  anchor: 'an anchor (`&name`) is not part of this language: write the value out',
  tag: 'a tag (`!name`) is not part of this language',
  'directive-line': 'a directive (`%NAME`) is not part of this language',
};

/**
 * The first line of a block text tells how far the text is indented. If that line has only a tab, the parser takes the
 * text to end there, and reads the next line as a key of a map further out.
 */
const startsWithTabLine = /^(?: *\n)* *\t[ \t]*(?:\r?\n|$)/;
const tabLine = 'the text begins with a line that has only a tab, so its indentation is unclear: remove that line';

/** The tokens for the parser, or what is wrong with them. */
export function readTokens(text: string): { tokens: string[] } | { problems: YamlProblem[] } {
  const tokens: string[] = [];
  const problems: YamlProblem[] = [];
  const depth = new Depth();
  let offset = 0;
  let isScalar = false;
  let isBlock = false;
  for (const token of new Lexer().lex(text)) {
    tokens.push(token);
    const type: string | null = isScalar ? 'scalar' : CST.tokenType(token);
    // The lexer marks the start of a plain or block scalar with a token that has no text.
    const isMark: boolean = !isScalar && (type === 'scalar' || type === 'doc-mode' || type === 'flow-error-end');
    isScalar = isMark && type === 'scalar';
    if (isMark) continue;
    const message = type === null ? undefined : refused[type];
    if (message) problems.push({ code: 'yaml-feature', message, start: offset, end: offset + token.length });
    if (type === 'block-scalar-header') isBlock = true;
    if (type === 'scalar') {
      if (isBlock && startsWithTabLine.test(token))
        problems.push({ code: 'yaml-syntax', message: tabLine, start: offset, end: offset + token.search(/\S|$/) });
      isBlock = false;
    }
    if (tokens.length > maxTokens) {
      return {
        problems: [
          {
            code: 'blueprint-too-large',
            message: `a blueprint has at most ${maxTokens} YAML tokens`,
            start: offset,
            end: offset + 1,
          },
        ],
      };
    }
    if (depth.add(type, token) > maxNesting) {
      const nested: YamlProblem = {
        code: 'blueprint-nested-too-deep',
        message: `a blueprint is nested at most ${maxNesting} levels deep`,
        start: offset,
        end: offset + 1,
      };
      return { problems: [...problems.slice(0, 20), nested] };
    }
    offset += token.length;
  }
  return problems.length > 0 ? { problems: problems.slice(0, 20) } : { tokens };
}

/**
 * Counts an upper bound of the nesting: open flow collections, plus block collections by the columns at which they can
 * start.
 */
class Depth {
  private flow = 0;
  private column = 0;
  private atStart = true;
  private readonly columns: number[] = [];

  add(type: string | null, token: string): number {
    if (type === 'newline') {
      this.column = 0;
      this.atStart = true;
      return 0;
    }
    if (type === 'scalar' && (token === '' || token.includes('\n'))) {
      // Lines of a text hold no collection, and the collections around them stay open.
      this.column = token.endsWith('\n') ? 0 : this.column + token.length;
      this.atStart = true;
      return 0;
    }
    if (type === 'flow-map-start' || type === 'flow-seq-start') this.flow++;
    if (type === 'flow-map-end' || type === 'flow-seq-end') this.flow = Math.max(0, this.flow - 1);
    if (this.atStart && type !== 'space' && type !== 'comment') {
      while ((this.columns.at(-1) ?? -1) >= this.column) this.columns.pop();
      this.columns.push(this.column);
      this.atStart = false;
    }
    // What follows an indicator on the same line may start another collection.
    if (this.flow === 0 && (type === 'seq-item-ind' || type === 'explicit-key-ind' || type === 'map-value-ind'))
      this.atStart = true;
    this.column += token.length;
    return this.flow + this.columns.length;
  }
}
