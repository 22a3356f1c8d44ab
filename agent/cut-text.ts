/** Keeps the beginning and the end of a long text. Pure; runs in workflow code. */

/**
 * Cuts a text to at most `maxChars` characters. A longer text keeps its beginning and its end, with a line between them
 * that says how much is missing and, in `hint`, how to get it. Never splits a surrogate pair.
 */
export function cutText(text: string, maxChars: number, hint = ''): string {
  if (text.length <= maxChars) return text;
  const note = `\n[… ${text.length - maxChars}+ of ${text.length} characters left out${hint && `; ${hint}`} …]\n`;
  const room = maxChars - note.length;
  if (room < 2) return text.slice(0, endOfWholeCharacter(text, maxChars));
  const tailChars = Math.floor(room / 2);
  const head = text.slice(0, endOfWholeCharacter(text, room - tailChars));
  const tailFrom = text.length - tailChars;
  return head + note + text.slice(isLowSurrogate(text, tailFrom) ? tailFrom + 1 : tailFrom);
}

function endOfWholeCharacter(text: string, end: number): number {
  return isLowSurrogate(text, end) ? Math.max(0, end - 1) : end;
}

function isLowSurrogate(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff;
}
