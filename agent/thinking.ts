/** Takes the reasoning out of an answer, where a server leaves it in the text. */

/** The marks around reasoning, in the formats of several models. */
const marks = [
  ...['think', 'thinking', 'thought', 'reasoning', 'seed:think'].map((tag) => [`<${tag}>`, `</${tag}>`] as const),
  ['[THINK]', '[/THINK]'],
  ['◁think▷', '◁/think▷'],
] as const;

/** What begins the answer itself in the format of gpt-oss. */
const finalMark = '<|channel|>final<|message|>';

/** The text without reasoning at its beginning. Reasoning that never ends leaves nothing. */
export function withoutThinking(content: string): string {
  const text = content.trim();
  const final = text.lastIndexOf(finalMark);
  if (final >= 0)
    return text
      .slice(final + finalMark.length)
      .replace(/<\|(end|return)\|>\s*$/, '')
      .trim();
  for (const [open, close] of marks) {
    const end = text.indexOf(close);
    if (text.startsWith(open)) return end < 0 ? '' : withoutThinking(text.slice(end + close.length));
    if (isLoneEnd(text, open, close, end)) return withoutThinking(text.slice(end + close.length));
  }
  return text;
}

/**
 * Whether reasoning ends there whose beginning the server kept. The mark stands at a line's end or fills a line, and
 * the text isn't an object or a block of code, which may hold such a mark too.
 */
function isLoneEnd(text: string, open: string, close: string, end: number): boolean {
  if (end < 0 || /^[{[`]/.test(text) || text.slice(0, end).includes(open)) return false;
  const after = text[end + close.length];
  return after === undefined || after === '\n' || after === '\r' || text[end - 1] === '\n';
}
