/** Reads JSON as models write it. */

/** The value, or undefined if the text isn't JSON. Raw line breaks and tabs inside strings are accepted. */
export function parseJsonText(text: string): { value: unknown } | undefined {
  for (const candidate of [text, escapeRawControls(text)]) {
    try {
      return { value: JSON.parse(candidate) };
    } catch {
      // The next candidate may work.
    }
  }
  return undefined;
}

/** The text without the code fence around it. */
function stripFence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('```') || !trimmed.endsWith('```') || trimmed.length < 6) return trimmed;
  const lineEnd = trimmed.indexOf('\n');
  return lineEnd < 0 ? trimmed : trimmed.slice(lineEnd + 1, -3).trim();
}

/**
 * The JSON values that a text may mean, the likeliest first: the whole text, in a fence or not; what is in its only
 * fence with JSON; and what stands between its first and its last brace.
 */
export function findJson(text: string): { value: unknown }[] {
  const whole = parseJsonText(stripFence(text));
  // Some models write the value as a text once more.
  const inner = typeof whole?.value === 'string' ? parseJsonText(whole.value) : undefined;
  if (whole) return inner ? [whole, inner] : [whole];
  const fenced = [...text.matchAll(/```[A-Za-z0-9_]*[ \t]*\r?\n([^]*?)```/g)].flatMap(
    ([, body = '']) => parseJsonText(body) ?? [],
  );
  const from = text.search(/[{[]/);
  const to = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']')) + 1;
  const between = from >= 0 && from < to ? parseJsonText(text.slice(from, to)) : undefined;
  return [...(fenced.length === 1 ? fenced : []), ...(between ? [between] : [])];
}

function escapeRawControls(text: string): string {
  const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  let inString = false;
  let result = '';
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? '';
    if (inString && char === '\\') {
      result += char + (text[++index] ?? '');
      continue;
    }
    if (char === '"') inString = !inString;
    result += inString ? (escapes[char] ?? char) : char;
  }
  return result;
}
