/**
 * Text from repositories, tickets, logs and models, before a code host reads it. A host acts on text: it tells people,
 * closes issues, loads pictures, obeys commands, skips checks. Here a space pulls each of these apart, wherever it
 * stands: what is code and what isn't, hosts decide each in their own way, so this doesn't try to know. People read the
 * same text as before; links still lead somewhere, because nothing happens until a person follows one.
 */
type Rule = [pattern: RegExp, replacement: string | ((matched: string, first: string, rest: string) => string)];

const rules: Rule[] = [
  [/\r\n?|[\p{Zl}\p{Zp}]/gu, '\n'],
  // What nobody sees: zero width, text direction, fillers, tags, control characters.
  [/(?![\n\t])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu, ''],
  // Character references would bring back what is pulled apart below.
  [/&(?=#?\w{1,31};)/g, '& '],
  [/<(?=[A-Za-z/!?])/g, '< '],
  // Pictures are loaded without a click; so are those of [[wiki links]].
  [/!(?=\[)/g, '! '],
  [/\[(?=\\*\[)/g, '[ '],
  [/(`{3}|~{3})[ \t]*(?=mermaid|plantuml|geojson|topojson|stl)/gi, '$1text '],
  [/(?<![A-Za-z0-9])@(?=[\w-])/g, '@ '],
  // References close issues after a keyword, which each server may choose, and leave a note in them without one.
  [/([#!])(?=\d)/g, '$1 '],
  [/(?<![a-z])(GH-)(?=\d)/gi, '$1 '],
  // The same by address: it leads to the same page, but is no reference any more.
  [
    /\/([ipmw])(ssues|ulls?|erge_requests|ork_items)(?=\/\d)/gi,
    (_, first, rest) => `/%${first.charCodeAt(0).toString(16)}${rest}`,
  ],
  [/^([ \t>*+-]*\/)(?=[a-z_]+(?:\s|$))/gim, '$1 '],
  [/\[(?=(?:skip|no)[ -][\w-]+\]|[\w-]+[ -]skip\])/gi, '[ '],
  [/\*{3}(?=NO_CI)|^skip-checks(?=:)/gim, '$& '],
];

/** Markdown that a code host only shows. The same again for what came out of it. */
export function neutralize(text: string): string {
  // One overload takes words, the other functions, and a table holds both.
  return rules.reduce(
    (safe, [pattern, replacement]) =>
      typeof replacement === 'string' ? safe.replace(pattern, replacement) : safe.replace(pattern, replacement),
    text.toWellFormed(),
  );
}

const maxTitleCharacters = 240;

/** The same for a title: one line, of a length that every host takes. */
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
