/**
 * Makes text from repositories, tickets, logs and models harmless before a code host reads it. A host acts on text: it
 * notifies people, closes issues, loads pictures, obeys commands, skips checks. Here a space breaks up each such
 * sequence, wherever it is. Hosts differ in what they take for code, so this doesn't try to know. People read the same
 * text as before. Links still work, because nothing happens until a person follows one.
 */
type Rule = [pattern: RegExp, replacement: string | ((matched: string, first: string, rest: string) => string)];

const rules: Rule[] = [
  [/\r\n?|[\p{Zl}\p{Zp}]/gu, '\n'],
  // Invisible characters: zero width, text direction, fillers, tags, control characters.
  [/(?![\n\t])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu, ''],
  // Character references would restore what is broken up below.
  [/&(?=#?\w{1,31};)/g, '& '],
  [/<(?=[A-Za-z/!?])/g, '< '],
  // Pictures are loaded without a click, and so are those of [[wiki links]].
  [/!(?=\[)/g, '! '],
  [/\[(?=\\*\[)/g, '[ '],
  [/(`{3}|~{3})[ \t]*(?=mermaid|plantuml|geojson|topojson|stl)/gi, '$1text '],
  [/(?<![A-Za-z0-9])@(?=[\w-])/g, '@ '],
  // References close issues after a keyword, which each server may choose. Without one they leave a note in the issue.
  [/([#!])(?=\d)/g, '$1 '],
  [/(?<![a-z])(GH-)(?=\d)/gi, '$1 '],
  // The same for references by address. The address still leads to the page, but is not a reference any more.
  [
    /\/([ipmw])(ssues|ulls?|erge_requests|ork_items)(?=\/\d)/gi,
    (_, first, rest) => `/%${first.charCodeAt(0).toString(16)}${rest}`,
  ],
  [/^([ \t>*+-]*\/)(?=[a-z_]+(?:\s|$))/gim, '$1 '],
  [/\[(?=(?:skip|no)[ -][\w-]+\]|[\w-]+[ -]skip\])/gi, '[ '],
  [/\*{3}(?=NO_CI)|^skip-checks(?=:)/gim, '$& '],
];

/** Makes Markdown that a code host only shows. Applying it again changes nothing. */
export function neutralize(text: string): string {
  // One overload takes strings, the other functions, and a table has both.
  return rules.reduce(
    (safe, [pattern, replacement]) =>
      typeof replacement === 'string' ? safe.replace(pattern, replacement) : safe.replace(pattern, replacement),
    text.toWellFormed(),
  );
}

const maxTitleCharacters = 240;

/** Like {@link neutralize}, for a title: one line, short enough for every host. */
export function neutralizeTitle(text: string): string {
  const line = neutralize(text).replaceAll(/\s+/g, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= maxTitleCharacters
    ? line
    : `${characters
        .slice(0, maxTitleCharacters - 1)
        .join('')
        .trimEnd()}…`;
}
