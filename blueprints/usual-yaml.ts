/**
 * Reads what people usually write several times faster than the full parser. The full parser knows every place and
 * every mistake, but takes two thirds of a check, and a correct text needs only its value. So a second, quick parser
 * reads the texts that both are sure to read the same. Everything else, and every mistake, is left to the full parser.
 */
import {
  CHOMPING_MODE,
  constructFromEvents,
  CORE_SCHEMA,
  EVENT_ID,
  type Event,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml';
import { isJsonMap, type Json } from '../base/json.ts';

/** Far below the limits around the full parser, which count tokens and indents. */
const maxDepth = 20;
const maxCharacters = 40_000;

/** Above 1,024 characters, a key on one line is an error. */
const maxKeyCharacters = 1000;

/** Texts, names, durations and numbers that can be written in only one way, and `null`, `true` and `false`. */
const plain =
  /^(?:[a-z_$/][^\n]*|\.{1,2}(?:\/[^\n]*)?|0|[1-9]\d{0,14}|(?:0|[1-9]\d{0,9})\.\d{0,5}[1-9]|[1-9]\d*(?:ms|[smhd]))$/i;
/** In capitals, one schema reads these as values and another as text. */
const word = /^(?:null|true|false)$/i;
/** Most texts have only these characters. */
const ascii = /^[\n\x20-\x7e]*$/;
/** Tabs, other line breaks and marks are where parsers differ. */
const odd = /[\t\r\u0080-\u00a0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]/;
/**
 * What the quick parser's events don't show: document marks and directives (also where an indent makes them text), a
 * key after a question mark, and the indent that a block scalar states. `__proto__` gets its own message.
 */
const hidden = /^ *(?:---|\.\.\.|%)|^ *(?:[-?:] +)*\?(?:[ \n]|$)|[[{,] *\?[ \n]|[|>][-+]?[1-9]|__proto__/m;
/**
 * After these lines, a comment at the start of a line is another case where the parsers differ: one refuses it inside
 * brackets.
 */
const heading = /^(?:#[^\n]*\n|\n)*/;

/** The text's value; undefined if only the full parser can tell. Never throws. */
export function readUsualYaml(text: string): Json | undefined {
  if (
    text.length > maxCharacters ||
    (!ascii.test(text) && odd.test(text)) ||
    hidden.test(text) ||
    text.replace(heading, '').includes('\n#')
  )
    return undefined;
  try {
    const events = parseEvents(text, { maxDepth });
    if (!areUsual(events, text)) return undefined;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema has no other types
    const [value] = constructFromEvents(events, { source: text, schema: CORE_SCHEMA }) as Json[];
    return isJsonMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the text has only plain collections and scalars, with scalars as keys. */
function areUsual(events: Event[], text: string): boolean {
  /** What comes next in each open collection. */
  const next: ('key' | 'value' | 'item')[] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      next.pop();
    } else if (event.type === EVENT_ID.DOCUMENT) {
      next.push('item');
    } else {
      if (event.type === EVENT_ID.ALIAS || event.anchorStart !== -1 || event.tagStart !== -1) return false;
      const part = next.at(-1);
      if (event.type === EVENT_ID.SCALAR ? !isUsualScalar(event, text) : part === 'key') return false;
      if (part === 'key' && event.type === EVENT_ID.SCALAR && event.valueEnd - event.valueStart > maxKeyCharacters)
        return false;
      if (part !== 'item') next[next.length - 1] = part === 'key' ? 'value' : 'key';
      if (event.type === EVENT_ID.MAPPING) next.push('key');
      if (event.type === EVENT_ID.SEQUENCE) next.push('item');
    }
  }
  return true;
}

function isUsualScalar({ style, chomping, valueStart, valueEnd }: ScalarEvent, text: string): boolean {
  if (style === SCALAR_STYLE.FOLDED_BLOCK) return false;
  if (style === SCALAR_STYLE.LITERAL_BLOCK) return chomping !== CHOMPING_MODE.KEEP;
  const source = text.slice(valueStart, valueEnd);
  if (style !== SCALAR_STYLE.PLAIN) return !source.includes('\n');
  return plain.test(source) && (!word.test(source) || source === source.toLowerCase());
}
