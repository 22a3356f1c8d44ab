/** Finds calls that a model wrote as text: in code fences, in `<tool_call>` tags, or as the whole text. */
import type { AgentTool } from '../../blueprints/kinds/agent.ts';
import type { ToolCall } from '../../model/contract.ts';
import { findExampleWords } from '../examples.ts';
import { parseJsonText } from '../json-text.ts';
import type { DecodedAnswer } from '../protocol.ts';
import { findTool } from '../tools.ts';

/** The call by which a model without native tools says that its work is done. */
export const doneTool = 'done';

const maxWrittenCalls = 64;

/** The calls in a text, and the text without them. Only calls of `tools` and {@link doneTool} count as calls. */
export function findWrittenCalls(
  text: string,
  tools: readonly AgentTool[],
  turn: number,
): { calls: ToolCall[]; rest: string } {
  const calls: ToolCall[] = [];
  let rest = '';
  let from = 0;
  for (const block of findBlocks(text)) {
    const found = readCalls(block.body, tools);
    if (found.length === 0) continue;
    calls.push(...found);
    rest += text.slice(from, block.start);
    from = block.end;
    if (calls.length >= maxWrittenCalls) break;
  }
  rest += text.slice(from);
  return { calls: withOwnIds(calls, turn), rest: rest.trim() };
}

/**
 * Gives the calls our own ids. A server's ids may be missing, the same in every turn, or anything else, and ids become
 * part of keys. Ours have nine letters and digits, which even the strictest servers accept.
 */
export function withOwnIds(calls: ToolCall[], turn: number): ToolCall[] {
  return calls.map((call, index) => ({
    ...call,
    id: `c${String(turn).padStart(4, '0')}${String(index + 1).padStart(4, '0')}`,
  }));
}

/** The calls with the names of our tools, where a model wrote more than the name. */
export function withOwnNames(calls: ToolCall[], tools: readonly AgentTool[]): ToolCall[] {
  return calls.map((call) => ({ ...call, name: findTool(call.name, [...tools, doneTool]) ?? call.name }));
}

/** The answer with these calls. `done` counts only if it is the only call. */
export function endWithCalls(text: string, calls: ToolCall[]): DecodedAnswer {
  const toolCalls = calls.filter((call) => call.name !== doneTool);
  const ended = calls.find((call) => call.name === doneTool);
  if (toolCalls.length > 0 || !ended) return { text, toolCalls };
  return { text, toolCalls, finished: summaryOf(ended) || text || 'Done.' };
}

/** Reads a value as a call or a list of calls. */
export function toCalls(value: unknown, tools: readonly AgentTool[]): ToolCall[] {
  if (Array.isArray(value)) return value.flatMap((item) => toCalls(item, tools));
  if (typeof value !== 'object' || value === null) return [];
  const call = new Map<string, unknown>(Object.entries(value));
  const written = call.get('tool') ?? call.get('name');
  const name = typeof written === 'string' ? findTool(written, [...tools, doneTool]) : undefined;
  const given = call.get('arguments') ?? call.get('parameters') ?? call.get('args') ?? {};
  if (name === undefined) return [];
  return [{ id: '', name, arguments: typeof given === 'string' ? given : JSON.stringify(given) }];
}

function readCalls(body: string, tools: readonly AgentTool[]): ToolCall[] {
  const whole = parseJsonText(body);
  if (whole) return toCalls(whole.value, tools);
  // There may be several calls, one on each line.
  return body
    .split('\n')
    .flatMap((line) => (line.trim().startsWith('{') ? toCalls(parseJsonText(line)?.value, tools) : []));
}

function* findBlocks(text: string): Generator<{ start: number; end: number; body: string }> {
  if (text.startsWith('{') || text.startsWith('[')) {
    yield { start: 0, end: text.length, body: text };
    return;
  }
  const opening = /```[a-z_]*[ \t]*\n|<tool_call>/g;
  for (let match = opening.exec(text); match; match = opening.exec(text)) {
    const bodyFrom = match.index + match[0].length;
    const closing = match[0].startsWith('<') ? '</tool_call>' : '```';
    const found = text.indexOf(closing, bodyFrom);
    const bodyTo = found < 0 ? text.length : found;
    const end = found < 0 ? text.length : found + closing.length;
    yield { start: match.index, end, body: text.slice(bodyFrom, bodyTo) };
    opening.lastIndex = end;
  }
}

function summaryOf(call: ToolCall): string {
  const value = parseJsonText(call.arguments)?.value;
  if (typeof value !== 'object' || value === null || !('summary' in value)) return '';
  return typeof value.summary === 'string' && !findExampleWords(value.summary) ? value.summary : '';
}
