/** Reads one YAML 1.2 document into plain JSON, and can find the place of each part in the text. */
import { Composer, isMap, isScalar, isSeq, Parser } from 'yaml';
import type { Document, Node, Pair, YAMLError, YAMLMap } from 'yaml';
import type { KeyPath } from './issues.ts';
import type { Json } from '../base/json.ts';
import { readTokens, type YamlProblem } from './yaml-tokens.ts';

/** A place in the text, as offsets in UTF-16 units. */
export interface Range {
  start: number;
  end: number;
}

/** A document that was read: its value, and the places of its parts. */
export interface YamlText {
  value: Json;
  /** The place of the value at a path; undefined if there is none. */
  findValue(path: KeyPath): Range | undefined;
  /** The place of the last key of a path; undefined if there is none. */
  findKey(path: KeyPath): Range | undefined;
}

/**
 * Reads a text with the full parser, which knows every place and every mistake. Duplicate keys, further documents and
 * keys that aren't plain names are problems. Never throws.
 */
export function readYaml(text: string): { yaml: YamlText | undefined; problems: YamlProblem[] } {
  const read = readTokens(text);
  if ('problems' in read) return { yaml: undefined, problems: read.problems };
  const documents = compose(read.tokens, text.length);
  const [document, second] = documents;
  if (!document) return { yaml: undefined, problems: [problem('yaml-syntax', 'there is no document', 0, 0)] };
  if (second) {
    const [start] = second.range;
    return {
      yaml: undefined,
      problems: [
        problem('yaml-syntax', 'a blueprint is one YAML document, but another one starts here', start, start + 3),
      ],
    };
  }
  const syntax = firstOfEachLine([...document.errors, ...document.warnings], text);
  if (syntax.length > 0) return { yaml: undefined, problems: syntax };
  const problems: YamlProblem[] = [];
  const value = toJson(document.contents, problems);
  return { yaml: { value, ...lookUp(document.contents) }, problems };
}

function compose(tokens: string[], length: number): Document.Parsed[] {
  const parser = new Parser();
  // Duplicate keys are found below: all of them together, in linear time.
  const composer = new Composer({ version: '1.2', schema: 'core', uniqueKeys: false, logLevel: 'silent' });
  function* parse() {
    for (const token of tokens) yield* parser.next(token);
    yield* parser.end();
  }
  return [...composer.compose(parse(), true, length)] as Document.Parsed[];
}

function problem(code: YamlProblem['code'], message: string, start: number, end: number): YamlProblem {
  return { code, message, start, end };
}

function sentence(message: string): string {
  return message.split('\n')[0]?.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase()) ?? message;
}

/** What the parser says of a text with a colon and a space in it. */
const seldomMeant = /^(?:Nested mappings|Block collections) are not allowed/i;

/** The first problems, one of each line, because the parser's later errors on a line usually follow from its first. */
function firstOfEachLine(errors: YAMLError[], text: string): YamlProblem[] {
  const first: YamlProblem[] = [];
  let lineEnd = -1;
  for (const { message, pos } of errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    if (pos[0] <= lineEnd) continue;
    const hint = seldomMeant.test(message) ? 'if the text holds `: `, put quotes around it' : undefined;
    first.push({ ...problem('yaml-syntax', sentence(message), ...pos), hint });
    const newline = text.indexOf('\n', pos[0]);
    if (newline < 0 || first.length === 20) break;
    lineEnd = newline;
  }
  return first;
}

function toJson(node: unknown, problems: YamlProblem[]): Json {
  if (isSeq(node)) return node.items.map((item) => toJson(item, problems));
  if (isMap(node)) return mapToJson(node, problems);
  if (!isScalar(node)) return null;
  const { value } = node;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function mapToJson(map: YAMLMap, problems: YamlProblem[]): Json {
  const result: Record<string, Json> = {};
  for (const pair of map.items) {
    const range = rangeOf(pair.key) ?? { start: 0, end: 0 };
    const key = keyText(pair);
    if (key === undefined) {
      problems.push(problem('yaml-syntax', 'a key must be a plain name', range.start, range.end));
    } else if (key === '__proto__') {
      problems.push(problem('yaml-feature', '`__proto__` is not a key of this language', range.start, range.end));
    } else if (Object.hasOwn(result, key)) {
      problems.push(problem('yaml-duplicate-key', `\`${key}\` is already a key of this map`, range.start, range.end));
    } else {
      result[key] = toJson(pair.value, problems);
    }
  }
  return result;
}

function keyText(pair: Pair): string | undefined {
  if (!isScalar(pair.key)) return undefined;
  const { value, source } = pair.key;
  return typeof value === 'string' ? value : source;
}

function rangeOf(node: unknown): Range | undefined {
  const range = (isScalar(node) || isMap(node) || isSeq(node)) && node.range;
  return range ? { start: range[0], end: range[1] } : undefined;
}

function pairAt(map: unknown, key: string | number): Pair | undefined {
  return isMap(map) ? map.items.find((pair) => keyText(pair) === key) : undefined;
}

function child(node: unknown, key: string | number): unknown {
  return isSeq(node) && typeof key === 'number' ? node.items[key] : pairAt(node, key)?.value;
}

function lookUp(root: Node | null): Pick<YamlText, 'findValue' | 'findKey'> {
  const nodeAt = (path: KeyPath): unknown => path.reduce<unknown>(child, root);
  return {
    findValue: (path) => rangeOf(nodeAt(path)),
    findKey: (path) => rangeOf(pairAt(nodeAt(path.slice(0, -1)), path.at(-1) ?? '')?.key),
  };
}
