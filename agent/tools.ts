/** The tools of an agent step: what the model is told about them, and how its calls are read. */
import { z } from 'zod';
import type { AgentTool } from '../blueprints/kinds/agent.ts';
import type { ToolCall, ToolDefinition } from '../model/contract.ts';
import { copiedExampleFeedback, exampleWords, findExampleWords } from './examples.ts';
import { parseJsonText } from './json-text.ts';

export const maxArgumentsChars = 256 * 1024;

const Path = z.string().min(1).max(512).describe('Path of the file, relative to the repository');

const toolArguments = {
  read: z.strictObject({
    path: Path,
    offset: z.number().int().min(1).optional().describe('First line to show, from 1'),
    limit: z.number().int().min(1).max(2000).optional().describe('How many lines to show'),
  }),
  edit: z.strictObject({
    path: Path,
    old: z.string().min(1).describe('The text to replace, exactly as the file has it'),
    new: z.string().describe('The text to put in its place'),
    all: z.boolean().optional().describe('true replaces every occurrence'),
    line: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('The line on which the text starts, where the file has it more than once'),
  }),
  write: z.strictObject({ path: Path, text: z.string().describe('The whole new content of the file') }),
  search: z.strictObject({
    text: z.string().min(1).max(1000).describe('The text to look for'),
    path: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe('A folder or file to look in; the whole repository where missing'),
    regex: z.boolean().optional().describe('true reads the text as an extended regular expression'),
  }),
  shell: z.strictObject({ command: z.string().min(1).max(16_384).describe('A command for sh, run in the repository') }),
} as const satisfies Record<AgentTool, z.ZodType>;

const ParsedToolCall = z.discriminatedUnion('tool', [
  z.strictObject({ tool: z.literal('read'), arguments: toolArguments.read }),
  z.strictObject({ tool: z.literal('edit'), arguments: toolArguments.edit }),
  z.strictObject({ tool: z.literal('write'), arguments: toolArguments.write }),
  z.strictObject({ tool: z.literal('search'), arguments: toolArguments.search }),
  z.strictObject({ tool: z.literal('shell'), arguments: toolArguments.shell }),
]);
export type ParsedToolCall = z.infer<typeof ParsedToolCall>;

const { file, folder, old, new: replacement, lineBefore, added, whole, wanted, command } = exampleWords;

const descriptions: Record<AgentTool, string> = {
  read: `Shows the lines of a file. Example: {"path": "${file}"} or, for a part of it, {"path": "${file}", "offset": 200, "limit": 100}`,
  edit: `Replaces text in a file. Example: {"path": "${file}", "old": "${old}", "new": "${replacement}"} or, to add a line after another, {"path": "${file}", "old": "${lineBefore}\\n", "new": "${lineBefore}\\n${added}\\n"}`,
  write: `Makes a file, or replaces the whole of it. Example: {"path": "${file}", "text": "${whole}\\n"}`,
  search: `Finds the lines that hold a text. Example: {"text": "${wanted}"} or, in one folder only, {"text": "${wanted}", "path": "${folder}"}`,
  shell: `Runs a command with sh, a POSIX shell without the extensions of bash, and shows its output. Example: {"command": "${command}"}`,
};

/** What the model is told about each argument, which a small one may give as the argument. */
const argumentDescriptions = new Set(
  Object.values(toolArguments).flatMap(({ shape }) =>
    Object.values(shape).map((schema: z.ZodType) => schema.description),
  ),
);

/** What the model is told about the tools, in their order. */
export function toolDefinitions(tools: readonly AgentTool[]): ToolDefinition[] {
  return tools.map((name) => {
    const { $schema: _, ...parameters } = z.toJSONSchema(toolArguments[name]);
    return { name, description: descriptions[name], parameters };
  });
}

/** A call with checked arguments, or what the model is told about its mistake. Never throws. */
export function parseToolCall(
  call: ToolCall,
  allowed: readonly AgentTool[],
): { call: ParsedToolCall } | { error: string } {
  const tool = findTool(call.name, allowed);
  if (!tool) return { error: `There is no tool called ${quote(call.name)}. The tools are: ${allowed.join(', ')}.` };
  if (call.arguments.length > maxArgumentsChars) {
    return {
      error: `The arguments of ${tool} are longer than ${maxArgumentsChars} characters and were refused. Do it in smaller pieces.`,
    };
  }
  const json = parseJsonText(call.arguments === '' ? '{}' : call.arguments);
  if (!json) return { error: `The arguments of ${tool} are not JSON. ${descriptions[tool]}` };
  const parsed = ParsedToolCall.safeParse({ tool, arguments: json.value });
  if (!parsed.success) {
    const issues = parsed.error.issues
      .slice(0, 5)
      .map((issue) => `${issue.path.slice(1).join('.') || 'arguments'}: ${issue.message}`);
    return { error: `Wrong arguments for ${tool}: ${issues.join('; ').slice(0, 1000)}. ${descriptions[tool]}` };
  }
  const copied = Object.values(parsed.data.arguments).flatMap((value) =>
    typeof value === 'string' ? (findExampleWords(value) ?? (argumentDescriptions.has(value.trim()) ? value : [])) : [],
  )[0];
  return copied === undefined ? { call: parsed.data } : { error: copiedExampleFeedback(copied) };
}

/**
 * The tool that a model means. Some write a namespace before the name, a number or a mark of their own format after it,
 * or a capital letter: `functions.edit:0`, `edit<|channel|>commentary`, `Edit`.
 */
export function findTool<Name extends string>(written: string, tools: readonly Name[]): Name | undefined {
  const parts = written.split(/<\|[^|]*\|?>?/).map((part) => part.trim());
  const bare = (parts.find((part) => part !== '') ?? '').replace(/:\d+$/, '').toLowerCase();
  const last = bare.slice(Math.max(...['.', ':', '/'].map((mark) => bare.lastIndexOf(mark))) + 1);
  return tools.find((name) => name === written) ?? tools.find((name) => name === bare || name === last);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
